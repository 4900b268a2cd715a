//! Finds the entries of a HAR in a stream of bytes, without building the document.
//!
//! The outer levels (`{"log": {"entries": [ … ]}}`) are walked as JSON; an entry is only measured
//! (strings and brackets) and handed on whole, for the JSON parser to judge. No state grows with the
//! depth of the input, and none with its length beyond one entry.

use crate::json::has_byte;

/// The largest entry that is read; a larger one is passed over and counted as lost.
pub const MAX_ENTRY: usize = 64 << 20;
/// Members of `log` other than `entries` are kept up to this size (for `creator`).
const MAX_CREATOR: usize = 4 << 10;
/// What may stand before the first `{`: white space or the name of a JSONP callback.
const MAX_PROLOG: usize = 256;
const MAX_KEY: usize = 64;

/// Bytes that are not a HAR: says what was found instead, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct NotHar {
    /// What was found.
    pub what: String,
    /// Offset in the (decompressed) file, from 0.
    pub at: u64,
}

/// What the splitter hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'s> {
    /// The bytes of one whole element of `entries` that looks like an object.
    Entry(&'s [u8]),
    /// An element that cannot be an entry, or is too large to be read.
    Lost(&'static str),
}

/// What was known when the bytes ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct End {
    /// The file ended inside the document; the entry it ended in (if any) is lost.
    pub truncated: bool,
    /// The file ended inside an entry.
    pub inside_entry: bool,
    /// A `log` object was seen.
    pub log: bool,
    /// An `entries` array was seen.
    pub entries: bool,
    /// Raw JSON of `log.creator`, if there was one of a sane size.
    pub creator: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Log,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Prolog,
    Members(Level),
    Key(Level),
    Colon(Level),
    Value(Level),
    Scalar(Level),
    Skip(Level),
    Elements,
    Loose,
    Entry,
    Unwanted,
    Epilog,
}

/// A push parser: feed it chunks of any size, get whole entries.
#[derive(Debug)]
pub struct Splitter {
    state: State,
    at: u64,
    prolog: Vec<u8>,
    key: Vec<u8>,
    pending: Vec<u8>,
    oversize: bool,
    skim: Skim,
    after_comma: bool,
    end: End,
    limit: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// At the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MAX_ENTRY)
    }

    /// With another limit than [`MAX_ENTRY`], in bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            state: State::Prolog,
            at: 0,
            prolog: Vec::new(),
            key: Vec::new(),
            pending: Vec::new(),
            oversize: false,
            skim: Skim::default(),
            after_comma: true,
            end: End::default(),
            limit,
        }
    }

    /// Takes the next bytes of the file and hands out every entry that ends in them, in order.
    ///
    /// # Errors
    /// [`NotHar`] where the outer document is not JSON. Entries handed out before stay good.
    pub fn push(&mut self, chunk: &[u8], found: &mut dyn FnMut(Item<'_>)) -> Result<(), NotHar> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let used = match self.state {
                State::Entry | State::Unwanted | State::Skip(_) => self.body(rest, found),
                State::Prolog => self.prolog(rest)?,
                _ => self.walk(rest, found)?,
            };
            self.at += used as u64;
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// The file has ended.
    ///
    /// # Errors
    /// [`NotHar`] where there was no JSON object at all.
    pub fn finish(mut self) -> Result<End, NotHar> {
        match self.state {
            State::Prolog if self.prolog.iter().all(|&b| white(b) || is_bom(b)) => {
                return Err(self.refuse("the file is empty"));
            }
            State::Prolog => return Err(self.refuse("no JSON object before the end of the file")),
            State::Epilog => {}
            state => {
                self.end.truncated = true;
                self.end.inside_entry = matches!(state, State::Entry | State::Unwanted);
            }
        }
        Ok(self.end)
    }

    fn refuse(&self, what: impl Into<String>) -> NotHar {
        NotHar { what: what.into(), at: self.at }
    }

    /// One byte at a time: the levels outside the entries are short.
    fn walk(&mut self, rest: &[u8], found: &mut dyn FnMut(Item<'_>)) -> Result<usize, NotHar> {
        let Some(&byte) = rest.first() else { return Ok(0) };
        match self.state {
            State::Members(level) => match byte {
                b'"' => {
                    self.key.clear();
                    self.skim = Skim::default();
                    self.state = State::Key(level);
                }
                b'}' => {
                    self.state = if level == Level::Log { State::Members(Level::Top) } else { State::Epilog }
                }
                b',' => {}
                _ if white(byte) => {}
                _ => return Err(self.unexpected("a member name, `,` or `}`", byte)),
            },
            State::Key(level) => {
                if self.skim.escaped {
                    self.skim.escaped = false;
                } else if byte == b'\\' {
                    self.skim.escaped = true;
                } else if byte == b'"' {
                    self.state = State::Colon(level);
                    return Ok(1);
                }
                if self.key.len() < MAX_KEY {
                    self.key.push(byte);
                }
            }
            State::Colon(level) => match byte {
                b':' => self.state = State::Value(level),
                _ if white(byte) => {}
                _ => return Err(self.unexpected("`:`", byte)),
            },
            State::Value(level) => return self.value(level, byte),
            State::Scalar(level) => match byte {
                // The delimiter belongs to the level above.
                b',' | b'}' => {
                    self.state = State::Members(level);
                    return Ok(0);
                }
                _ if loose(byte) => {}
                _ if white(byte) => self.state = State::Members(level),
                _ => return Err(self.unexpected("a value", byte)),
            },
            State::Elements => match byte {
                b']' => self.state = State::Members(Level::Log),
                b',' => self.after_comma = true,
                b'{' | b'[' | b'"' => {
                    self.pending.clear();
                    self.oversize = false;
                    self.skim = Skim::default();
                    self.after_comma = false;
                    self.state = if byte == b'{' { State::Entry } else { State::Unwanted };
                    return Ok(0);
                }
                _ if loose(byte) && self.after_comma => {
                    found(Item::Lost("not an object"));
                    self.after_comma = false;
                    self.state = State::Loose;
                }
                _ if white(byte) => {}
                _ => return Err(self.unexpected("an entry, `,` or `]`", byte)),
            },
            State::Loose => {
                if !loose(byte) {
                    self.state = State::Elements;
                    return Ok(0);
                }
            }
            State::Epilog => match byte {
                b')' | b';' | 0 => {}
                // One document after the other in the same file.
                b'{' => self.state = State::Members(Level::Top),
                _ if white(byte) => {}
                _ => return Err(self.unexpected("the end of the file", byte)),
            },
            State::Prolog | State::Entry | State::Unwanted | State::Skip(_) => {}
        }
        Ok(1)
    }

    fn value(&mut self, level: Level, byte: u8) -> Result<usize, NotHar> {
        if white(byte) {
            return Ok(1);
        }
        match (level, self.key.as_slice(), byte) {
            (Level::Top, b"log", b'{') => {
                self.end.log = true;
                self.state = State::Members(Level::Log);
                return Ok(1);
            }
            (Level::Log, b"entries", b'[') => {
                self.end.entries = true;
                self.after_comma = true;
                self.state = State::Elements;
                return Ok(1);
            }
            (_, _, b'{' | b'[' | b'"') => {
                self.pending.clear();
                self.skim = Skim::default();
                self.state = State::Skip(level);
                return Ok(0);
            }
            (_, _, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-') => {
                self.state = State::Scalar(level);
                return Ok(1);
            }
            _ => {}
        }
        Err(self.unexpected("a value", byte))
    }

    /// Measures a value that is opaque here: an entry, an unwanted element, a skipped member.
    fn body(&mut self, rest: &[u8], found: &mut dyn FnMut(Item<'_>)) -> usize {
        let end = self.skim.over(rest);
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let wanted = match self.state {
            State::Entry => self.limit,
            State::Skip(Level::Log) if self.key == b"creator" => MAX_CREATOR,
            _ => 0,
        };
        let fits = !self.oversize && self.pending.len() + part.len() <= wanted;
        if end.is_none() {
            if fits {
                self.pending.extend_from_slice(part);
            } else {
                self.oversize = true;
                self.pending = Vec::new();
            }
            return part.len();
        }
        match self.state {
            State::Entry => {
                if !fits {
                    found(Item::Lost("larger than an entry may be"));
                } else if self.pending.is_empty() {
                    found(Item::Entry(part));
                } else {
                    self.pending.extend_from_slice(part);
                    found(Item::Entry(&self.pending));
                }
                // A giant entry's buffer is not kept for the small ones that follow.
                self.pending.clear();
                self.pending.shrink_to(1 << 20);
                self.state = State::Elements;
            }
            State::Unwanted => {
                found(Item::Lost("not an object"));
                self.state = State::Elements;
            }
            State::Skip(level) => {
                if wanted == MAX_CREATOR && fits {
                    self.pending.extend_from_slice(part);
                    self.end.creator = std::mem::take(&mut self.pending);
                }
                self.state = State::Members(level);
            }
            _ => {}
        }
        self.oversize = false;
        part.len()
    }

    fn prolog(&mut self, rest: &[u8]) -> Result<usize, NotHar> {
        for (used, &byte) in rest.iter().enumerate() {
            self.prolog.push(byte);
            match self.prolog.as_slice() {
                [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, ..] | [_, 0] => {
                    return Err(at_start("the text is UTF-16 or UTF-32; save it as UTF-8"));
                }
                [0x1F, 0x8B, ..] => return Err(at_start("a gzip file inside another")),
                [b'P', b'K', 3, 4, ..] => return Err(at_start("a zip archive; unpack it first")),
                [b'<', ..] => return Err(at_start("markup, not JSON")),
                [b'[', ..] => return Err(at_start("a JSON array, where a HAR is an object with `log`")),
                _ => {}
            }
            if byte == b'{' {
                let before = self.prolog.strip_prefix(b"\xEF\xBB\xBF".as_slice()).unwrap_or(&self.prolog);
                let before = before.strip_suffix(b"{").unwrap_or(before).trim_ascii();
                let callback = before.strip_suffix(b"(").map(<[u8]>::trim_ascii_end);
                let plain = before.is_empty();
                let jsonp = callback.is_some_and(|name| {
                    name.iter()
                        .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.' | b'[' | b']'))
                });
                if !plain && !jsonp {
                    return Err(at_start("text before the JSON that is not a JSONP callback"));
                }
                self.state = State::Members(Level::Top);
                return Ok(used + 1);
            }
            if self.prolog.len() > MAX_PROLOG && !self.prolog.iter().all(|&b| white(b) || is_bom(b)) {
                return Err(at_start("not JSON: no `{`"));
            }
            if self.prolog.len() > MAX_PROLOG {
                self.prolog.truncate(8);
            }
        }
        Ok(rest.len())
    }

    fn unexpected(&self, wanted: &str, byte: u8) -> NotHar {
        if byte == 0 {
            return self.refuse("the text is UTF-16 or UTF-32; save it as UTF-8");
        }
        self.refuse(format!("not JSON: expected {wanted}, found `{}`", byte.escape_ascii()))
    }
}

/// A file that does not begin as a HAR is refused as a whole, wherever its reads were cut.
fn at_start(what: &str) -> NotHar {
    NotHar { what: what.to_owned(), at: 0 }
}

fn white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What numbers and `true`, `false`, `null` are made of.
fn loose(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn is_bom(byte: u8) -> bool {
    matches!(byte, 0xEF | 0xBB | 0xBF)
}

/// Finds where a JSON value ends, knowing nothing but strings and brackets.
#[derive(Debug, Clone, Default)]
struct Skim {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Skim {
    /// Offset just after the value's last byte, if it ends in these bytes.
    fn over(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string {
                at = self.string(bytes, at)?;
                if self.depth == 0 {
                    return Some(at);
                }
            }
            let rest = bytes.get(at..)?;
            let step = rest.iter().position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']'))?;
            at += step + 1;
            match rest.get(step)? {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
            }
        }
    }

    /// Offset just after the closing quote.
    fn string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if self.escaped && at < bytes.len() {
            self.escaped = false;
            at += 1;
        }
        loop {
            let rest = bytes.get(at..)?;
            let step = to_quote(rest)?;
            if rest.get(step) == Some(&b'"') {
                self.in_string = false;
                return Some(at + step + 1);
            }
            at += step + 2;
            if at > bytes.len() {
                self.escaped = true;
                return None;
            }
        }
    }
}

/// Offset of the first quote or backslash. Most are near (names, escaped quotes in a body), and found eight bytes
/// at a time; only long runs are worth a vector search.
fn to_quote(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.get(..32).unwrap_or(bytes).as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let hit = has_byte(word, b'"') | has_byte(word, b'\\');
        if hit != 0 {
            return Some(nth * 8 + hit.trailing_zeros() as usize / 8);
        }
    }
    let far = words.len() * 8;
    Some(far + memchr::memchr2(b'"', b'\\', bytes.get(far..)?)?)
}

#[cfg(test)]
mod tests;
