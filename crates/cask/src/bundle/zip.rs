//! The one ZIP layout that bundles have: members in the order of their names, stored as they are, dated 1 January 1980.
//! So the same members give the same bytes, and any ZIP program can unpack them.
//!
//! These few lines are our own, because a reader for every dialect hides what matters here: two entries of one name,
//! bytes that nothing lists, a header that says something else than the directory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::Error;

/// What a bundle holds: bytes by name.
pub type Members<'b> = BTreeMap<String, Cow<'b, [u8]>>;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of a local header and of an entry of the directory before the name, and of the end.
const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
/// Version 1.0 is enough to read it; made on Unix, so that the mode counts.
const NEEDED: u16 = 10;
const MADE_BY: u16 = (3 << 8) | NEEDED;
/// A regular file that everybody may read.
const MODE: u32 = 0o100_644;
/// The earliest date that there is, as MS-DOS writes it.
const DATE: u16 = (1 << 5) | 1;

/// An entry as the directory lists it.
#[derive(Debug)]
pub struct Entry<'b> {
    /// Its name; what is not UTF-8 in it is replaced.
    pub name: String,
    /// Its Unix mode; 0 where another system made it.
    pub mode: u64,
    /// How it is packed; 0 is not at all.
    pub method: u64,
    /// Its bytes in the file.
    pub packed: u64,
    /// Its bytes when unpacked, as it claims.
    pub size: u64,
    /// What stands in the file; none if that is not where the directory says.
    pub bytes: Option<&'b [u8]>,
}

/// The entries of a ZIP file in the order of its directory, whatever they are.
///
/// # Errors
/// Why it is none. A file with anything after its directory, or one of more than 4 GiB, is none here.
pub fn read(file: &[u8]) -> Result<Vec<Entry<'_>>, &'static str> {
    let end = file.len().checked_sub(END_LENGTH).ok_or("it is too short to be a ZIP file")?;
    if number(file, end, 0, 4) != Some(u64::from(END)) {
        return Err("no directory ends it: not a ZIP file, cut off, or something was added behind");
    }
    let cut = "its directory is not whole";
    let count = number(file, end, 10, 2).ok_or(cut)?;
    let mut at = number(file, end, 16, 4).and_then(place).ok_or(cut)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let (one, next) = entry(file, at).ok_or(cut)?;
        entries.push(one);
        at = next;
    }
    Ok(entries)
}

/// The entry of the directory at this place, and where the next one is.
fn entry(file: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let field = |offset, length| number(file, at, offset, length);
    (field(0, 4)? == u64::from(CENTRAL)).then_some(())?;
    let made_on = field(5, 1)?;
    let (method, packed, size) = (field(10, 2)?, field(20, 4)?, field(24, 4)?);
    let (name, extra, comment) = (place(field(28, 2)?)?, place(field(30, 2)?)?, place(field(32, 2)?)?);
    let mode = if made_on == 3 { field(38, 4)? >> 16 } else { 0 };
    let name_at = at.checked_add(CENTRAL_LENGTH)?;
    let name_end = name_at.checked_add(name)?;
    let name = String::from_utf8_lossy(file.get(name_at..name_end)?).into_owned();
    let bytes = stored(file, place(field(42, 4)?)?, place(packed)?);
    let next = name_end.checked_add(extra)?.checked_add(comment)?;
    Some((Entry { name, mode, method, packed, size, bytes }, next))
}

/// What stands behind the local header at this place.
fn stored(file: &[u8], at: usize, packed: usize) -> Option<&[u8]> {
    (number(file, at, 0, 4)? == u64::from(LOCAL)).then_some(())?;
    let before = number(file, at, 26, 2)? + number(file, at, 28, 2)?;
    let start = at.checked_add(LOCAL_LENGTH)?.checked_add(place(before)?)?;
    file.get(start..start.checked_add(packed)?)
}

/// A little-endian number of at most eight bytes.
fn number(file: &[u8], at: usize, offset: usize, length: usize) -> Option<u64> {
    let start = at.checked_add(offset)?;
    let bytes = file.get(start..start.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

fn place(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// The bytes of a bundle with these members.
///
/// # Errors
/// [`Error`] if they are more than the format holds.
pub fn write(members: &Members<'_>) -> Result<Vec<u8>, Error> {
    let mut out: Vec<u8> = Vec::new();
    let mut directory: Vec<u8> = Vec::new();
    for (name, bytes) in members {
        let offset = short(out.len())?;
        let both = common(name, bytes)?;
        out.extend_from_slice(&LOCAL.to_le_bytes());
        out.extend_from_slice(&both);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        directory.extend_from_slice(&CENTRAL.to_le_bytes());
        directory.extend_from_slice(&MADE_BY.to_le_bytes());
        directory.extend_from_slice(&both);
        // no comment, the first disk, nothing of the internal attributes
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(MODE << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(members.len()).map_err(|_| too_much())?;
    let (length, start) = (short(directory.len())?, short(out.len())?);
    out.append(&mut directory);
    out.extend_from_slice(&END.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Ok(out)
}

/// What both headers of a member say.
fn common(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    let size = short(bytes.len())?;
    let name = u16::try_from(name.len()).map_err(|_| too_much())?;
    let mut out: Vec<u8> = Vec::new();
    out.extend_from_slice(&NEEDED.to_le_bytes());
    // no flags, not packed, midnight
    out.extend_from_slice(&[0; 6]);
    out.extend_from_slice(&DATE.to_le_bytes());
    out.extend_from_slice(&sum.sum().to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&name.to_le_bytes());
    // nothing extra
    out.extend_from_slice(&[0; 2]);
    Ok(out)
}

fn short(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| too_much())
}

fn too_much() -> Error {
    Error::new("this is more than a bundle holds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Members<'static> {
        let member = |name: &str, text: &'static str| (name.to_owned(), Cow::Borrowed(text.as_bytes()));
        [member("b/c.txt", "two"), member("a.txt", "one"), member("empty", "")].into()
    }

    #[test]
    fn what_is_written_reads_back() {
        let members = members();
        let file = write(&members).unwrap();
        let entries = read(&file).unwrap();
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a.txt", "b/c.txt", "empty"]);
        for entry in &entries {
            assert_eq!((entry.mode, entry.method, entry.packed), (0o100_644, 0, entry.size));
            assert_eq!(entry.bytes, members.get(&entry.name).map(|bytes| &**bytes));
        }
    }

    /// A bundle made today is checked for ever: a change of these bytes is a change of the format.
    #[test]
    fn the_layout_stays() {
        let one: Members<'_> = [("a".to_owned(), Cow::Borrowed(&b"hi"[..]))].into();
        let local = "504b0304 0a00 0000 0000 0000 2100 ac2a93d8 02000000 02000000 0100 0000 61 6869";
        let central = "504b0102 0a03 0a00 0000 0000 0000 2100 ac2a93d8 02000000 02000000 0100 0000 0000 0000 0000 \
                       0000a481 00000000 61";
        let end = "504b0506 0000 0000 0100 0100 2f000000 21000000 0000";
        let hex: String = write(&one).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, [local, central, end].concat().replace(' ', ""));
    }

    #[test]
    fn what_is_no_zip_file_is_not_read_as_one() {
        let file = write(&members()).unwrap();
        for end in 0..file.len() {
            let _ = read(file.get(..end).unwrap());
        }
        assert!(read(b"").is_err() && read(&[0; 22]).is_err());
        let mut longer = file.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
        // A directory that claims to be elsewhere, or longer, is not followed.
        let end = file.len() - END_LENGTH;
        for (offset, byte) in [(10, 200), (16, 255), (19, 255)] {
            let mut bad = file.clone();
            *bad.get_mut(end + offset).unwrap() = byte;
            assert!(read(&bad).is_err(), "{offset}");
        }
    }
}
