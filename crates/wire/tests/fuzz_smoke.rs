//! A few seconds of fuzzing on a stable compiler: golden files, damaged in many small ways, into
//! the same functions that the targets in `fuzz/` call. `LONGSHORE_FUZZ_ROUNDS` makes it longer,
//! `LONGSHORE_FUZZ_SEED` makes it another one.

mod entry;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Damage that random bytes would rarely find.
const TOKENS: &[&str] = &[
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "{\"a\":",
    "[[[[[[[[",
    "]",
    "}",
    ",",
    ":",
    "\"",
    "-0",
    "1e999",
    "1e-999",
    "3.0",
    "2147483648",
    "-9223372036854775808",
    "18446744073709551616",
    "0.1e1",
    "%",
    "%2",
    "%zz",
    "+",
    "&",
    "=",
    ";",
    "/",
    "//",
    "/../",
    "\n",
    "\n\n",
    ": ",
    "\u{e4}",
    "\u{1f980}",
    "\r\n\r\n",
    "X-Amz-Date: ",
    "SignedHeaders=",
    "Credential=",
];

/// A small generator (SplitMix64): the same seed, the same run.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..(start + self.below(32)).min(len)
    }
}

fn damage(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.range(bytes.len());
    match rng.below(6) {
        0 => bytes.iter_mut().skip(at.start).take(1).for_each(|it| *it ^= 1 << rng.below(8)),
        1 => drop(bytes.splice(at, [])),
        2 => drop(bytes.splice(at, rng.choose(TOKENS).bytes())),
        3 => bytes.insert(at.start, rng.next() as u8),
        4 => {
            let copied = bytes[at.clone()].to_vec();
            bytes.splice(at.start..at.start, copied);
        }
        _ => {
            let other = rng.choose(corpus);
            let from = rng.below(other.len());
            bytes.truncate(at.start);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}

fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(golden.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn fuzz(folders: &[&str], mut enter: impl FnMut(&[u8], &mut Rng)) {
    let corpus = corpus(folders);
    let rng = &mut Rng(setting("LONGSHORE_FUZZ_SEED", 1));
    for original in &corpus {
        enter(original, rng);
    }
    for _ in 0..setting("LONGSHORE_FUZZ_ROUNDS", 50_000) {
        let mut bytes = rng.choose(&corpus).clone();
        for _ in 0..=rng.below(4) {
            damage(&mut bytes, &corpus, rng);
        }
        enter(&bytes, rng);
    }
}

#[test]
fn no_damaged_request_panics() {
    fuzz(&["ecs"], |body, rng| rng.choose(entry::REQUEST_PARSERS)(body));
}

#[test]
fn no_damaged_frame_panics() {
    fuzz(&["acs/server", "acs/agent"], |frame, _| entry::acs(frame));
}

#[test]
fn no_damaged_telemetry_panics() {
    fuzz(&["tcs/server", "tcs/agent"], |frame, _| entry::tcs(frame));
}

#[test]
fn no_damaged_join_token_panics() {
    fuzz(&["join_token"], |inside, _| {
        entry::join_token(inside);
        entry::join_token(format!("lsj1_{}", URL_SAFE_NO_PAD.encode(inside)).as_bytes());
    });
}

#[test]
fn no_damaged_signature_panics_or_passes() {
    fuzz(&["sigv4"], |request, _| entry::sigv4(request));
}
