//! Ten thousand changes of what is signed, at random: each is refused, or means what it meant.

use super::super::status::{Against, verify};
use super::super::trust::{Content, Signer, Trust};
use super::super::*;
use super::{NOW, allow_all, key, surface};
use crate::artifact::{lockfile, tools, toolsets, trust as trust_file};
use crate::lock::sign::Signs as _;

/// A generator that needs no seed from outside (SplitMix64): the same changes in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides.max(1) as u64).unwrap()
    }
}

/// Flips, deletes, inserts, swaps or repeats bytes, words or lines.
fn mutate(text: &str, dice: &mut Dice) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let at = dice.roll(bytes.len());
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line = dice.roll(lines.len());
    match dice.roll(8) {
        0 => bytes[at] ^= 1 << dice.roll(8),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, [b' ', b'\n', b'"', b'a', b'0', b':', b'-', b'#'][dice.roll(8)]),
        3 => {
            let other = dice.roll(bytes.len());
            bytes.swap(at, other);
        }
        4 => bytes.truncate(at),
        5 => {
            lines.remove(line);
            bytes = lines.concat().into_bytes();
        }
        6 => {
            let other = dice.roll(lines.len());
            lines.swap(line, other);
            bytes = lines.concat().into_bytes();
        }
        _ => {
            let copy = lines[line];
            lines.insert(dice.roll(lines.len()), copy);
            bytes = lines.concat().into_bytes();
        }
    }
    String::from_utf8(bytes).ok().filter(|changed| changed != text)
}

#[test]
fn ten_thousand_changes_of_what_is_signed_are_refused_or_mean_the_same() {
    let good = surface(&["get_user", "list_users"]);
    let sealed = allow_all(&good, Some("2027-01-01T00:00:00Z"));
    let signers = vec![Signer::new("alice@example.com", vec![key().key().text()])];
    let trusted = Trust::new(Content { signers, ..Content::default() }, Vec::new()).unwrap();
    let root = trusted.digest().unwrap();
    let files = [
        lockfile::write(&sealed),
        trust_file::write(&trusted),
        good.policy.clone(),
        tools::write(&good.tools).to_string(),
        toolsets::write(&good.toolsets),
    ];
    let against = Against { trust: &trusted, now: NOW, seen: None };
    let served = |surface: &Surface, lockfile: &Lockfile| {
        verify(surface.clone(), lockfile, &against).map(|approved| {
            let content = |one: &ApprovedTool| crate::canon::digest(&one.tool).unwrap();
            let tools: BTreeMap<String, (Digest, BTreeSet<String>)> = approved
                .tools
                .iter()
                .map(|(name, one)| (name.clone(), (content(one), one.toolsets.clone())))
                .collect();
            (tools, approved.policy)
        })
    };
    let as_it_was = served(&good, &sealed).unwrap();
    let mut dice = Dice(1);
    let (mut tried, mut refused) = (0, 0);
    while tried < 10_000 {
        let which = dice.roll(files.len());
        let Some(text) = mutate(&files[which], &mut dice) else { continue };
        tried += 1;
        let outcome = match which {
            0 => lockfile::read(&text).ok().and_then(|read| {
                assert!(read == sealed || served(&good, &read).is_err(), "{text}");
                served(&good, &read).ok()
            }),
            1 => trust_file::read(&text).ok().filter(|read| read.comes_from(root, &[]).is_ok()).map(|read| {
                assert_eq!(read.content(), trusted.content());
                as_it_was.clone()
            }),
            2 => served(&Surface { policy: text.clone(), ..good.clone() }, &sealed).ok(),
            3 => tools::read(&text)
                .ok()
                .and_then(|tools| served(&Surface { tools, ..good.clone() }, &sealed).ok()),
            _ => toolsets::read(&text)
                .ok()
                .and_then(|toolsets| served(&Surface { toolsets, ..good.clone() }, &sealed).ok()),
        };
        match outcome {
            None => refused += 1,
            // Fewer may be served, and those that are, are what they were.
            Some((tools, policy)) => {
                assert_eq!(policy, as_it_was.1);
                for (name, (digest, toolsets)) in tools {
                    let (then, of) = &as_it_was.0[&name];
                    assert!(digest == *then && toolsets.is_subset(of), "{text}");
                }
            }
        }
    }
    assert!(refused > 5_000, "{refused} of {tried} were refused");
}
