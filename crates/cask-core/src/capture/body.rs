//! Bodies: from what a recorder wrote down to a [`Body`], parsed once by what it is.

use std::borrow::Cow;
use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::capture::{Body, Part};
use crate::json::Json;

/// A compressed body is unpacked up to this size, in bytes; beyond, only its length is kept.
pub const MAX_UNPACKED: u64 = 64 << 20;
/// A plain multipart field longer than this is kept without its value.
const MAX_FIELD: usize = 64 << 10;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The media type of a content type: lower case, no parameters; empty where there is none worth the name.
#[must_use]
pub fn media(content_type: &str) -> String {
    let bare = content_type.split([';', ',']).next().unwrap_or_default().trim();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+/*".contains(&b);
    if !bare.contains('/') || bare.len() > 127 || !bare.bytes().all(token) {
        return String::new();
    }
    bare.to_ascii_lowercase()
}

/// Whether a media type is JSON by name (`application/json`, `application/problem+json` …).
#[must_use]
pub fn is_json(media: &str) -> bool {
    media.ends_with("json") && matches!(media.as_bytes().iter().rev().nth(4), Some(b'/' | b'+' | b'-' | b'.'))
}

/// Reads a text body by what it is. `content_type` has its parameters (a multipart boundary).
#[must_use]
pub fn parse<'a>(text: &'a str, content_type: &str) -> Body<'a> {
    if text.is_empty() {
        return Body::None;
    }
    let media = media(content_type);
    if let Some(json) = json(text, &media) {
        return Body::Json(json);
    }
    if media == "application/x-www-form-urlencoded" {
        return Body::Form(url::form_urlencoded::parse(text.trim().as_bytes()).into_owned().collect());
    }
    // Without a content type the first line of a multipart body still tells.
    let unlabelled = media.is_empty() && text.starts_with("--") && text.contains("form-data;");
    if (unlabelled || media.starts_with("multipart/"))
        && let Some(parts) = multipart(text, content_type)
    {
        return Body::Multipart(parts);
    }
    Body::Text(text.len() as u64)
}

/// JSON under any content type if it is an object or array; a bare scalar only where JSON is claimed.
fn json<'a>(text: &'a str, media: &str) -> Option<Json<'a>> {
    let mut text = text.trim_ascii().trim_start_matches('\u{feff}');
    // A guard against script inclusion that several large services put before their JSON.
    if let Some(rest) = text.strip_prefix(")]}'") {
        text = rest.trim_start_matches(',').trim_ascii_start();
    }
    let composite = text.starts_with(['{', '[']);
    if !composite && !is_json(media) {
        return None;
    }
    Json::parse(text).ok()
}

/// What encoded or compressed bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// UTF-8 text (or text of an older charset, with replacement characters).
    Text(String),
    /// Not text: its length in bytes.
    Binary(u64),
}

/// Decodes a base64 body, unpacks it if it is compressed and looks whether it is text.
#[must_use]
pub fn decode(base64: &str, media: &str, content_encoding: &str) -> Decoded {
    // Of pictures and the like only the length is kept: do not even decode them.
    if opaque(media) {
        return Decoded::Binary(base64.len() as u64 / 4 * 3);
    }
    let compact: Cow<'_, str> = if base64.bytes().any(|b| b.is_ascii_whitespace()) {
        base64.split_ascii_whitespace().collect::<String>().into()
    } else {
        base64.into()
    };
    let bytes = match STANDARD.decode(compact.as_bytes()).or_else(|_| URL_SAFE.decode(compact.as_bytes())) {
        Ok(bytes) => bytes,
        // Labelled base64, and is not: take it as the text it is.
        Err(_) => return Decoded::Text(base64.to_owned()),
    };
    let length = bytes.len() as u64;
    let bytes = match unpack(&bytes, content_encoding, MAX_UNPACKED) {
        Unpacked::As(unpacked) => unpacked,
        Unpacked::Plain => bytes,
        Unpacked::TooLarge => return Decoded::Binary(length),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Decoded::Text(text),
        Err(error) if textual(media) => Decoded::Text(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Err(error) => Decoded::Binary(error.as_bytes().len() as u64),
    }
}

/// Media types whose bytes are never read.
fn opaque(media: &str) -> bool {
    ["image/", "audio/", "video/", "font/"].iter().any(|kind| media.starts_with(kind))
        && media != "image/svg+xml"
}

fn textual(media: &str) -> bool {
    media.starts_with("text/") || is_json(media) || media.ends_with("xml") || media.ends_with("urlencoded")
}

enum Unpacked {
    /// Not compressed after all; recorders often unpack and keep the header.
    Plain,
    As(Vec<u8>),
    TooLarge,
}

/// Unpacks by magic number where the format has one, else by header.
fn unpack(bytes: &[u8], content_encoding: &str, limit: u64) -> Unpacked {
    let read = |decoder: &mut dyn std::io::Read| read(decoder, limit);
    let encoding = content_encoding.trim().to_ascii_lowercase();
    match bytes {
        [0x1F, 0x8B, ..] => read(&mut flate2::read::MultiGzDecoder::new(bytes)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => match ruzstd::decoding::StreamingDecoder::new(bytes) {
            Ok(mut decoder) => read(&mut decoder),
            Err(_) => Unpacked::Plain,
        },
        _ if encoding == "deflate" => match read(&mut flate2::read::ZlibDecoder::new(bytes)) {
            // What servers call deflate is sometimes the bare stream.
            Unpacked::Plain => read(&mut flate2::read::DeflateDecoder::new(bytes)),
            other => other,
        },
        _ if encoding == "br" => read(&mut brotli_decompressor::Decompressor::new(bytes, 64 << 10)),
        _ => Unpacked::Plain,
    }
}

fn read(decoder: &mut dyn std::io::Read, limit: u64) -> Unpacked {
    let mut out = Vec::new();
    match decoder.take(limit + 1).read_to_end(&mut out) {
        Err(_) => Unpacked::Plain,
        Ok(length) if length as u64 > limit => Unpacked::TooLarge,
        Ok(_) => Unpacked::As(out),
    }
}

/// The parts of a `multipart/form-data` text (RFC 7578); `None` if it has no boundary.
fn multipart<'a>(text: &'a str, content_type: &str) -> Option<Vec<Part<'a>>> {
    let declared = content_type.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    });
    // Recorders lose the parameter now and then; the first line has it too.
    let boundary = declared.or_else(|| text.trim_start().lines().next()?.trim_end().strip_prefix("--"))?;
    if boundary.is_empty() {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut sections = text.split(delimiter.as_str());
    sections.next();
    let mut parts = Vec::new();
    for section in sections {
        if section.starts_with("--") {
            break;
        }
        parts.extend(part(section));
    }
    Some(parts)
}

fn part(section: &str) -> Option<Part<'_>> {
    let section = section.strip_prefix("\r\n").or_else(|| section.strip_prefix('\n')).unwrap_or(section);
    let (head, value) = section.split_once("\r\n\r\n").or_else(|| section.split_once("\n\n"))?;
    let value = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value);
    let mut part = Part { name: String::new(), file: false, media: String::new(), value: None };
    for line in head.lines() {
        let Some((name, text)) = line.split_once(':') else { continue };
        if name.trim().eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(text, "name")?;
            part.file = parameter(text, "filename").is_some() || parameter(text, "filename*").is_some();
        } else if name.trim().eq_ignore_ascii_case("content-type") {
            part.media = media(text);
        }
    }
    if !part.file && value.len() <= MAX_FIELD {
        part.value = Some(Cow::Borrowed(value));
    }
    Some(part)
}

/// A quoted or bare parameter of a header value (RFC 2183); `\"` and `%22` inside quotes stand for `"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once(';') {
        let (name, value) = after.split_once('=')?;
        let value = value.trim_start();
        let (text, remaining) = if let Some(quoted) = value.strip_prefix('"') {
            let mut text = String::new();
            let mut chars = quoted.chars();
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => text.extend(chars.next()),
                    _ => text.push(c),
                }
            }
            (text.replace("%22", "\""), chars.as_str())
        } else {
            let end = value.find(';').unwrap_or(value.len());
            let (bare, remaining) = value.split_at_checked(end)?;
            (bare.trim().to_owned(), remaining)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = remaining;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn b64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    #[test]
    fn json_is_read_by_what_it_is() {
        let is = |text: &str, media: &str| matches!(parse(text, media), Body::Json(_));
        assert!(is(r#"{"a":1}"#, "text/html; charset=utf-8"));
        assert!(is("[]", ""));
        assert!(is(")]}'\n[1]", "application/json"));
        assert!(is("12", "application/json"));
        assert!(is("12", "application/problem+json"));
        assert!(!is("12", "text/plain"));
        assert!(!is("{not json", "application/json"));
        assert!(!is(&"[".repeat(100_000), "application/json"));
        assert!(!is_json("application/notjson") && is_json("application/vnd.api+json"));
    }

    #[test]
    fn packed_bodies_are_unpacked() {
        let text = br#"{"ok":true}"#;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(text).unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(text).unwrap();
        // printf '{"ok":true}' | brotli / zstd
        let brotli =
            [0x0B, 0x05, 0x80, 0x7B, 0x22, 0x6F, 0x6B, 0x22, 0x3A, 0x74, 0x72, 0x75, 0x65, 0x7D, 0x03];
        let zstd =
            ruzstd::encoding::compress_to_vec(text.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        let want = Decoded::Text(r#"{"ok":true}"#.into());
        for (bytes, encoding) in [
            (gzip.finish().unwrap(), ""),
            (zlib.finish().unwrap(), "deflate"),
            (raw.finish().unwrap(), "deflate"),
            (brotli.to_vec(), "br"),
            (zstd, "zstd"),
            (text.to_vec(), "gzip"),
        ] {
            assert_eq!(decode(&b64(&bytes), "application/json", encoding), want, "{encoding}");
        }
    }

    #[test]
    fn a_bomb_stays_packed() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&[b' '; 4096]).unwrap();
        let bytes = gzip.finish().unwrap();
        assert!(matches!(unpack(&bytes, "gzip", 4095), Unpacked::TooLarge));
        assert!(matches!(unpack(&bytes, "gzip", 4096), Unpacked::As(_)));
    }

    #[test]
    fn multipart_keeps_fields_but_no_files() {
        let text = "--x\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\none\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"me.txt\"\r\nContent-Type: text/plain\r\n\r\nsecret\r\n--x--\r\n";
        for content_type in ["multipart/form-data; boundary=x", "multipart/form-data"] {
            let Body::Multipart(parts) = parse(text, content_type) else { panic!("{content_type}") };
            assert_eq!(parts.len(), 2);
            assert_eq!((parts[0].name.as_str(), parts[0].value.as_deref()), ("a\"b", Some("one")));
            assert!(parts[1].file && parts[1].value.is_none() && parts[1].media == "text/plain");
        }
    }
}
