//! A second of fuzzing on a stable compiler: agents' frames, damaged at random, into the function
//! that the fuzz target calls. `LONGSHORE_FUZZ_ROUNDS` makes it longer.

mod entry;

use entry::Ears;

/// A small generator (SplitMix64): the same seed, the same run.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

const DAMAGE: &[&str] =
    &["null", "{}", "[]", "\"\"", "1e999", "-1", "\\", "\"", ",", "\u{0}", "[[[[", "true"];

#[tokio::test]
async fn no_damaged_frame_of_an_agent_panics() {
    let rounds = std::env::var("LONGSHORE_FUZZ_ROUNDS").map_or(5_000, |it| it.parse().unwrap());
    let mut rng = Rng(1);
    let mut ears = Ears::open().await;
    for round in 0..rounds {
        if round % 500 == 0 {
            ears = Ears::open().await;
        }
        let (id, instance) = (&ears.manifest, &ears.instance);
        let task =
            "arn:aws:ecs:us-east-1:111122223333:task/default/0b69d5c0d655469598cd5d2d526d9d5a";
        let own = format!(r#""cluster":"default","containerInstance":"{instance}""#);
        let frames = [
            format!(r#"{{"type":"AckRequest","message":{{{own},"messageId":"{id}"}}}}"#),
            format!(
                r#"{{"type":"NackRequest","message":{{{own},"messageId":"{id}","reason":"r"}}}}"#
            ),
            format!(
                r#"{{"type":"IAMRoleCredentialsAckRequest","message":{{"credentialsId":"c","expiration":"e","messageId":"{id}"}}}}"#
            ),
            format!(r#"{{"type":"HeartbeatAckRequest","message":{{"messageId":"{id}"}}}}"#),
            format!(
                r#"{{"type":"TaskStopVerificationMessage","message":{{"messageId":"{id}","stopCandidates":[{{"desiredStatus":"STOPPED","taskArn":"{task}"}}]}}}}"#
            ),
            format!(
                r#"{{"type":"TaskResendRequest","message":{{{own},"messageId":"{id}","taskArns":["{task}"]}}}}"#
            ),
        ];
        let mut frame = frames[rng.below(frames.len())].clone().into_bytes();
        for _ in 0..rng.below(4) {
            let at = rng.below(frame.len() + 1);
            match rng.below(3) {
                0 => frame.truncate(at),
                1 => drop(frame.splice(at..at, DAMAGE[rng.below(DAMAGE.len())].bytes())),
                _ => {
                    let end = (at + rng.below(8)).min(frame.len());
                    frame.drain(at..end);
                }
            }
        }
        ears.hear(&frame);
        ears.connection.frames().await;
    }
}
