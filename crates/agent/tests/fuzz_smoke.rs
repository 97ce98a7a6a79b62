//! A few seconds of fuzzing on a stable compiler: payloads whose JSON is changed at random, into the
//! function that the fuzz target calls. `LONGSHORE_FUZZ_ROUNDS` makes it longer,
//! `LONGSHORE_FUZZ_SEED` makes it another one.

mod entry;

use serde_json::{Value, json};

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

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn task(arn: &str) -> Value {
    json!({
        "arn": arn, "family": "demo", "version": "3", "desiredStatus": "RUNNING",
        "overrides": "{}", "cpu": 0.5, "memory": 256, "pidMode": "task",
        "volumes": [{"name": "v", "host": {"sourcePath": "/v"}},
            {"name": "d", "type": "docker", "dockerVolumeConfiguration": {"scope": "task"}}],
        "containers": [{
            "name": "web", "image": "busybox:latest", "command": ["a"], "cpu": 10, "memory": 64,
            "essential": true, "environment": {"FOO": "bar"}, "entryPoint": [], "links": ["side:s"],
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": false}],
            "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
            "overrides": "{}", "healthCheckType": "docker", "startTimeout": 5, "stopTimeout": 5,
            "restartPolicy": {"enabled": true, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
            "dependsOn": [{"containerName": "side", "condition": "START"}],
            "dockerConfig": {"config": "{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}}",
                "hostConfig": "{\"CapAdd\":[]}", "version": "1.17"}
        }, {
            "name": "side", "image": "busybox", "essential": false, "overrides": "{}",
            "volumesFrom": [{"sourceContainer": "web", "readOnly": true}]
        }]
    })
}

/// One value anywhere within, chosen at random.
fn anywhere<'a>(value: &'a mut Value, rng: &mut Rng) -> &'a mut Value {
    let count = match value {
        Value::Object(members) => members.len(),
        Value::Array(elements) => elements.len(),
        _ => 0,
    };
    if count == 0 || rng.below(4) == 0 {
        return value;
    }
    let chosen = rng.below(count);
    match value {
        Value::Object(members) => anywhere(members.values_mut().nth(chosen).unwrap(), rng),
        Value::Array(elements) => anywhere(&mut elements[chosen], rng),
        _ => unreachable!("it has parts"),
    }
}

fn change(value: &mut Value, rng: &mut Rng) {
    let texts = ["", "{}", "{", "STOPPED", "web", "side:", ":", "..", "\u{0}", "999999999999"];
    let numbers = [json!(-1), json!(0), json!(65_536), json!(i64::MAX), json!(1e300), json!(0.1)];
    let place = anywhere(value, rng);
    *place = match rng.below(8) {
        0 => Value::Null,
        1 => json!(true),
        2 | 3 => json!(texts[rng.below(texts.len())]),
        4 | 5 => numbers[rng.below(numbers.len())].clone(),
        6 => json!([]),
        _ => json!({"x": place.clone()}),
    };
}

#[test]
fn no_changed_payload_panics_or_harms_the_tasks_beside_it() {
    let mut rng = Rng(setting("LONGSHORE_FUZZ_SEED", 1));
    for _ in 0..setting("LONGSHORE_FUZZ_ROUNDS", 1_500) {
        let mut changed = task("changed");
        for _ in 0..=rng.below(3) {
            change(&mut changed, &mut rng);
        }
        let message = json!({"messageId": "m", "clusterArn": "c", "containerInstanceArn": "i",
            "seqNum": 4, "tasks": [task("before"), changed, task("after")]});
        let frame = json!({"type": "PayloadMessage", "message": message}).to_string();
        let payload = entry::frame(frame.as_bytes()).expect("it is a payload");
        for arn in ["before", "after"] {
            assert!(payload.tasks.iter().any(|it| it.arn == arn), "{frame}");
        }
        assert_eq!(payload.tasks.len() + payload.rejected.len(), 3, "{frame}");
    }
}

#[test]
fn no_changed_message_panics() {
    let mut rng = Rng(setting("LONGSHORE_FUZZ_SEED", 2));
    for _ in 0..setting("LONGSHORE_FUZZ_ROUNDS", 1_500) {
        let message = json!({"messageId": "m", "seqNum": 4, "tasks": [task("a")]});
        let mut frame = json!({"type": "PayloadMessage", "message": message});
        change(&mut frame, &mut rng);
        let text = frame.to_string();
        let cut = rng.below(text.len() * 2);
        entry::frame(text.as_bytes());
        entry::frame(&text.as_bytes()[..cut.min(text.len())]);
    }
}
