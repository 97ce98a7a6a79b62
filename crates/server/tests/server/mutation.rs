//! Whatever is sent: an answer, never a 500, never a hang, and a state that adds up.
//!
//! The requests of the golden exchanges are damaged at random, from a fixed seed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::golden::{furnished, is_request, send};
use crate::harness::Agent;

/// How long the loop goes on.
const TIME: Duration = Duration::from_secs(4);

#[tokio::test]
async fn no_damage_to_a_request_is_a_fault_of_the_server() {
    let (world, agents) = furnished().await;
    let requests = golden_requests();
    let mut random = Random(0x00c0_ffee);
    let begun = Instant::now();
    for number in 0_u64.. {
        if begun.elapsed() > TIME {
            break;
        }
        let (head, text) = &requests[random.below(requests.len())];
        let mut body = text.clone().into_bytes();
        for _ in 0..random.below(4) {
            damage(&mut body, &mut random);
        }
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = send(&world, head, body).await;
        assert!(matches!(answer.status, 200 | 400 | 404 | 413), "{head} {shown}: {}", answer.text);
        answer.json();
        if number % 100 == 0 {
            world.state().check_derived().unwrap();
        }
    }
    world.state().check_derived().unwrap();
    for Agent { instance, .. } in &agents {
        assert!(world.instance(instance).await["containerInstanceArn"].is_string());
    }
}

fn golden_requests() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folders = fs::read_dir(root).unwrap().map(|it| it.unwrap().path());
    let files = folders.flat_map(|it| fs::read_dir(it).unwrap()).map(|it| it.unwrap().path());
    let texts: Vec<String> = files.map(|it| fs::read_to_string(it).unwrap()).collect();
    let paragraphs = texts.iter().flat_map(|it| it.split("\n\n"));
    let request = |it: &str| {
        let (head, body) = it.split_once('\n')?;
        is_request(head).then(|| (head.to_owned(), body.to_owned()))
    };
    paragraphs.filter_map(request).collect()
}

/// One wound: a byte, a number, a piece taken out, doubled, or swapped for something nasty.
fn damage(body: &mut Vec<u8>, random: &mut Random) {
    const NASTY: &[&str] = &[
        "null",
        "-1",
        "0",
        "4294967296",
        "1e309",
        "\"\"",
        "[]",
        "{}",
        "true",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"é\"",
        "\"arn:aws:ecs:::task/\"",
        ",",
        "}",
        "\"",
        "\"default\"",
        "[[[[",
    ];
    let at = random.below(body.len() + 1);
    let length = random.below(20).min(body.len() - at);
    match random.below(5) {
        0 => body.splice(at..at + length, [random.below(256) as u8]).for_each(drop),
        1 => body.drain(at..at + length).for_each(drop),
        2 => {
            let piece = body[at..at + length].to_vec();
            body.splice(at..at, piece);
        }
        3 => replace_value(body, at, NASTY[random.below(NASTY.len())]),
        _ => {
            let nasty = NASTY[random.below(NASTY.len())].bytes();
            body.splice(at..at + length, nasty);
        }
    }
}

/// Puts another value in place of the first one after a colon: the JSON mostly stays JSON.
fn replace_value(body: &mut Vec<u8>, from: usize, value: &str) {
    let Some(colon) = body[from..].iter().position(|it| *it == b':') else { return };
    let begin = from + colon + 1;
    let end = body[begin..].iter().position(|it| matches!(it, b',' | b'\n' | b'}'));
    let end = end.map_or(body.len(), |it| begin + it);
    body.splice(begin..end, value.bytes());
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
