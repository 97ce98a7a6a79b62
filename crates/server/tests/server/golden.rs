//! Exchanges as they travel, in files that a reviewer can read: `tests/golden/OPERATION/CASE.txt`.
//!
//! A file is a list of paragraphs. One that begins with a target, or with a path of Longshore's own
//! API, is a request, sent as it stands there; the paragraph after it is the answer, status and body, and must be met to the character
//! but for white space. `#` begins a remark; `later`, `connect` and `disconnect` do to the world what
//! no request does.
//!
//! Every file has a world of its own with two container instances and the definitions of
//! [`furnished`]. `UPDATE_GOLDEN=1` writes the answers anew; requests and remarks stay.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use longshore_wire::Operation;
use serde_json::{Value, json};

use crate::harness::{Agent, Answer, Machine, World};

#[tokio::test]
async fn every_exchange_is_as_it_is_written_down() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    for path in files() {
        let written = fs::read_to_string(&path).unwrap();
        let seen = replay(&written).await;
        if update {
            fs::write(&path, &seen).unwrap();
        } else if written != seen {
            differing.push(format!("{}:\n{}", path.display(), first_difference(&written, &seen)));
        }
    }
    assert!(differing.is_empty(), "{}\nUPDATE_GOLDEN=1 accepts these.", differing.join("\n"));
}

/// What the head of a request to Longshore's own API begins with.
const OWN: &str = "POST /longshore/v1/";

/// There is no newer agent to update to, and so never a success.
const NEVER_SUCCEEDS: Operation = Operation::UpdateContainerAgent;

#[test]
fn every_operation_has_an_exchange_that_succeeds() {
    let texts: Vec<String> = files().iter().map(|it| fs::read_to_string(it).unwrap()).collect();
    for operation in longshore_server::supported() {
        let succeeds = |text: &String| {
            let paragraphs: Vec<&str> = text.split("\n\n").collect();
            paragraphs.windows(2).any(|it| {
                it[0].lines().next() == Some(operation.target()) && it[1].starts_with("200\n")
            })
        };
        let may_fail = *operation == NEVER_SUCCEEDS;
        assert_ne!(texts.iter().any(succeeds), may_fail, "{operation}");
    }
}

#[test]
fn every_file_can_be_found_and_read() {
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.display();
        assert!(text.starts_with("# "), "{path} does not begin by saying what it shows");
        assert!(text.lines().count() <= 500, "{path} shows more than a reader can take in");
        let text_of_path = path.to_string();
        let folder = text_of_path.rsplit('/').nth(1).unwrap_or_default();
        let (own, folder) = (folder.replace('_', "-"), folder.replace('_', ""));
        let operation =
            longshore_server::supported().iter().find(|it| it.name().to_lowercase() == folder);
        let head = match operation {
            Some(operation) => operation.target().to_owned(),
            None => format!("{OWN}{own}"),
        };
        assert!(text.lines().any(|it| it == head), "{path} has no {head}");
    }
}

fn files() -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect()
    };
    let folders = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let mut files: Vec<_> = folders.iter().flat_map(|it| entries(it)).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A world with two connected instances, the first of them known to EC2, and three definitions:
/// `job:3`, whose container has both memory settings, `web:1` with a static host port, and `pair:1`
/// of which one container is not essential.
pub(crate) async fn furnished() -> (World, Vec<Agent>) {
    let world = World::start().await;
    let mut first = Machine::default().registration();
    first["instanceIdentityDocument"] = json!(
        r#"{"instanceId":"i-0123456789abcdef0","availabilityZone":"us-east-1a","instanceType":"t2.medium","imageId":"ami-0a1b2c3d"}"#
    );
    let first = world.ask(Operation::RegisterContainerInstance, first).await;
    let first = first["containerInstance"]["containerInstanceArn"].as_str().unwrap().to_owned();
    let second = Machine { attributes: &["stack=test"], memory: 2048, ..Machine::default() };
    let agents = vec![world.connect(&first).await, world.join(&second).await];
    for _ in 0..3 {
        let environment = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
        let job = json!({
            "cpu": 100, "memory": 300, "memoryReservation": 128,
            "command": ["serve"], "environment": environment
        });
        world.define("job", job).await;
    }
    let ports = json!([{"containerPort": 8080, "hostPort": 80}]);
    world.define("web", json!({"memory": 64, "portMappings": ports})).await;
    let pair = json!({"family": "pair", "containerDefinitions": [
        {"name": "main", "image": "busybox", "memory": 64},
        {"name": "side", "image": "busybox", "memory": 32, "essential": false},
    ]});
    world.ask(Operation::RegisterTaskDefinition, pair).await;
    (world, agents)
}

/// The text of a file with the answers that the server gives now.
async fn replay(written: &str) -> String {
    let (world, mut agents) = furnished().await;
    let mut seen: Vec<String> = Vec::new();
    let mut answered = true;
    for paragraph in written.trim_end().split("\n\n") {
        let (head, body) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        if head.parse::<u16>().is_ok() {
            assert!(!answered, "an answer without a request:\n{paragraph}");
            answered = true;
            continue;
        }
        seen.push(paragraph.into());
        if is_request(head) {
            let answer = send(&world, head, body.to_owned()).await;
            seen.push(format!("{}\n{}", answer.status, indented(&answer.text)));
            answered = false;
        } else if !head.starts_with('#') {
            direct(&world, &mut agents, head).await;
        }
    }
    seen.join("\n\n") + "\n"
}

/// Whether a paragraph with this first line is a request.
pub(crate) fn is_request(head: &str) -> bool {
    Operation::from_target(head).is_some() || head.starts_with(OWN)
}

/// Sends a request, signed.
pub(crate) async fn send(world: &World, head: &str, body: impl Into<Bytes>) -> Answer {
    match Operation::from_target(head) {
        Some(operation) => world.call_raw(operation, body).await,
        None => world.call_own_raw(head.strip_prefix(OWN).unwrap(), body).await,
    }
}

async fn direct(world: &World, agents: &mut Vec<Agent>, directive: &str) {
    match directive.split_once(' ') {
        Some(("later", seconds)) => world.clock.move_by_secs(seconds.parse().unwrap()),
        Some(("connect", instance)) => agents.push(world.connect(instance).await),
        Some(("disconnect", instance)) => {
            let at = agents.iter().position(|it| it.instance == instance).unwrap();
            agents.remove(at).leave(world).await;
        }
        _ => panic!("not a directive: {directive}"),
    }
}

/// The JSON text with white space for a reader, its members in the order in which they were sent.
fn indented(json: &str) -> String {
    assert!(serde_json::from_str::<Value>(json).is_ok(), "{json}");
    let mut text = String::new();
    let (mut depth, mut quoted, mut escaped, mut breaks) = (0, false, false, false);
    for character in json.chars() {
        let opens = !quoted && matches!(character, '{' | '[');
        let closes = !quoted && matches!(character, '}' | ']');
        if closes {
            depth -= 1;
        }
        if breaks != closes {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
        }
        text.push(character);
        if opens {
            depth += 1;
        }
        if !quoted && character == ':' {
            text.push(' ');
        }
        breaks = opens || (!quoted && character == ',');
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
    }
    text
}

fn first_difference(written: &str, seen: &str) -> String {
    let (mut written, mut seen) = (written.lines(), seen.lines());
    for number in 1.. {
        let (written, seen) = (written.next(), seen.next());
        if written != seen {
            let show = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
            return format!("  line {number}\n  - {}\n  + {}", show(written), show(seen));
        }
    }
    unreachable!("the texts differ")
}
