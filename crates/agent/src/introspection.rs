//! Introspection: what runs on this instance, for the people and programs who look after it.
//! Source: Amazon ECS Developer Guide, "Container agent introspection".

mod metrics;
mod shape;

use http::StatusCode;
use longshore_wire::prometheus;
use tokio::time::Instant;

use crate::board::Board;
use crate::local_http::{Answer, Door, Question};
use crate::pulse::Pulse;
use crate::runtime::Daemon;
use crate::telemetry::Usage;
use shape::{Metadata, Paths, Task, Tasks};

/// Answers on the introspection port.
#[derive(Debug)]
pub(crate) struct Introspection {
    /// As configured.
    pub(crate) cluster: String,
    pub(crate) board: Board,
    pub(crate) daemon: Daemon,
    pub(crate) usage: Usage,
    pub(crate) pulse: Pulse,
}

const PATHS: [&str; 4] = ["/v1/metadata", "/v1/tasks", "/metrics", "/license"];

const LICENSE: &str = "Longshore is licensed under the Apache License, Version 2.0: \
     https://www.apache.org/licenses/LICENSE-2.0\n";

impl Door for Introspection {
    async fn answer(&self, question: Question) -> Answer {
        match question.path.as_str() {
            "/v1/metadata" => Answer::json(&Metadata {
                cluster: &self.cluster,
                container_instance_arn: self.board.container_instance(),
                version: concat!("Longshore agent - v", env!("CARGO_PKG_VERSION")),
            }),
            "/v1/tasks" => self.tasks(Wish::parse(question.query.as_deref())).await,
            "/metrics" => self.metrics(),
            "/license" => Answer::text(StatusCode::OK, LICENSE),
            "/" => Answer::json(&Paths { available_commands: &PATHS }),
            _ => Answer::json_with(StatusCode::NOT_FOUND, &Paths { available_commands: &PATHS }),
        }
    }
}

impl Introspection {
    fn metrics(&self) -> Answer {
        let seen = metrics::Seen {
            cluster: &self.cluster,
            container_instance: &self.board.container_instance().unwrap_or_default(),
            tasks: &self.board.tasks(),
            usage: &self.usage,
            pulse: &self.pulse,
            docker_errors: Daemon::errors(),
            now: Instant::now(),
        };
        let (status, content_type) = (StatusCode::OK, prometheus::CONTENT_TYPE);
        Answer { status, content_type, body: seen.page() }
    }

    async fn tasks(&self, wish: Result<Wish, String>) -> Answer {
        let (tasks, is_one) = match wish {
            Err(text) => return refusal(StatusCode::BAD_REQUEST, text),
            Ok(Wish::All) => (self.board.tasks(), false),
            Ok(Wish::Task(arn)) => (self.board.task(&arn).into_iter().collect(), true),
            Ok(Wish::Docker(id)) => {
                let is_it = |it: Option<&str>| it.is_some_and(|it| it == id || is_short(&id, it));
                let found = self.board.find(|it| is_it(it.docker_id.as_deref()));
                (found.map(|it| it.task).into_iter().collect(), true)
            }
        };
        if is_one && tasks.is_empty() {
            return refusal(StatusCode::NOT_FOUND, "no such task is on this instance".to_owned());
        }
        // While Docker is away, what only Docker knows is left out.
        let sights = match self.board.container_instance() {
            Some(arn) => self.daemon.look_around(&arn).await.unwrap_or_default(),
            None => Default::default(),
        };
        let mut tasks: Vec<Task<'_>> = tasks.iter().map(|it| Task::new(it, &sights)).collect();
        match tasks.pop() {
            Some(task) if is_one => Answer::json(&task),
            last => {
                tasks.extend(last);
                Answer::json(&Tasks { tasks })
            }
        }
    }
}

fn refusal(status: StatusCode, text: String) -> Answer {
    Answer::json_with(status, &shape::Refusal { error: text })
}

/// Docker's own short form.
fn is_short(id: &str, whole: &str) -> bool {
    id.len() == 12 && whole.starts_with(id)
}

/// Which tasks are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    All,
    Task(String),
    Docker(String),
}

impl Wish {
    fn parse(query: Option<&str>) -> Result<Self, String> {
        let mut wish = Self::All;
        for pair in query.unwrap_or_default().split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            let next = match name {
                "taskarn" => Self::Task(value),
                "dockerid" => Self::Docker(value),
                _ => continue,
            };
            if wish != Self::All {
                return Err("only one of taskarn and dockerid can be asked for".to_owned());
            }
            wish = next;
        }
        Ok(wish)
    }
}

/// Percent-decodes; what is no encoding stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let encoded = after.first_chunk::<2>().filter(|_| *first == b'%');
        let hex = encoded.and_then(|it| std::str::from_utf8(it).ok());
        match hex.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expect: Result<Wish, &str>) {
        assert_eq!(Wish::parse(Some(query)), expect.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn a_query_names_one_task_or_none() {
        check("", Ok(Wish::All));
        check("what=ever", Ok(Wish::All));
        check(
            "taskarn=arn:aws:ecs:r:1:task/a/b",
            Ok(Wish::Task("arn:aws:ecs:r:1:task/a/b".into())),
        );
        check("taskarn=arn%3Aaws%3Atask%2Fa", Ok(Wish::Task("arn:aws:task/a".into())));
        check("dockerid=0123", Ok(Wish::Docker("0123".into())));
        check("dockerid=", Ok(Wish::Docker(String::new())));
        check("dockerid=%zz%", Ok(Wish::Docker("%zz%".into())));
        let both = Err("only one of taskarn and dockerid can be asked for");
        check("dockerid=1&taskarn=2", both);
    }
}
