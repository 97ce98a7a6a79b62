//! `longshore explain`: where RunTask would place tasks now, and why nowhere else.

mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longshore_server::Site;
use longshore_wire::own::ExplainResponse;
use serde_json::{Value, json};

use crate::call;
use crate::options::Connection;
use crate::output::say;
use crate::snapshot;

/// The exit code when some of the tasks would not be placed.
const SOME_UNPLACED: u8 = 3;

/// What is said after the options.
const AFTER: &str = "\
Nothing is started. What is given is understood as RunTask understands it; where that draws lots
among instances that are equally good, so does this.

Exit codes: 0 when all tasks would be placed, 3 when some would not, 1 for errors, 2 for a command
line that makes no sense.";

/// `longshore explain`
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The task definition: a family, FAMILY:REVISION, or an ARN.
    #[arg(env = "LONGSHORE_EXPLAIN_TASK_DEFINITION")]
    task_definition: String,

    /// The cluster, by name or ARN.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    cluster: String,

    /// How many tasks.
    #[arg(
        long,
        env = "LONGSHORE_EXPLAIN_COUNT",
        value_name = "K",
        default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    count: u16,

    /// Overrides of the task definition, such as
    /// '{"containerOverrides": [{"name": "main", "memory": 64}]}'.
    #[arg(long, env = "LONGSHORE_EXPLAIN_OVERRIDES", value_name = "JSON", value_parser = overrides)]
    overrides: Option<Value>,

    /// A placement constraint, such as distinctInstance or 'memberOf:attribute:zone == a'; may be
    /// repeated.
    #[arg(
        long = "constraint",
        env = "LONGSHORE_EXPLAIN_CONSTRAINT",
        value_name = "TYPE[:EXPRESSION]",
        value_parser = typed
    )]
    constraints: Vec<Typed>,

    /// A placement strategy, such as spread:attribute:zone, binpack:memory or random; of several,
    /// the first counts most.
    #[arg(
        long = "strategy",
        env = "LONGSHORE_EXPLAIN_STRATEGY",
        value_name = "TYPE[:FIELD]",
        value_parser = typed
    )]
    strategies: Vec<Typed>,

    /// The launch type: EC2, EXTERNAL, or FARGATE. [default: any that the definition is for]
    #[arg(long, env = "LONGSHORE_EXPLAIN_LAUNCH_TYPE", value_name = "TYPE")]
    launch_type: Option<String>,

    /// The task group. [default: family:FAMILY]
    #[arg(long, env = "LONGSHORE_EXPLAIN_GROUP")]
    group: Option<String>,

    /// Lists each instance that is out, with all that keeps it out.
    #[arg(long, env = "LONGSHORE_EXPLAIN_ALL")]
    all: bool,

    /// Prints the answer as JSON, for programs.
    #[arg(long, env = "LONGSHORE_EXPLAIN_JSON")]
    json: bool,

    /// Asks a file that `longshore snapshot` made instead of a server. It has the task definitions
    /// that were ACTIVE.
    #[arg(long, env = "LONGSHORE_EXPLAIN_SNAPSHOT", value_name = "FILE")]
    snapshot: Option<PathBuf>,

    #[command(flatten)]
    connection: Connection,
}

/// A constraint or strategy: its type, and what follows the first colon.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Typed {
    kind: String,
    rest: Option<String>,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let request = options.request();
    let answer = match &options.snapshot {
        Some(path) => explain_snapshot(path, &request)?,
        None => call::ask(&options.connection, "explain", &request).await?,
    };
    let response: ExplainResponse =
        serde_json::from_value(answer.clone()).context("the answer cannot be understood")?;
    if options.json {
        say(&format!("{answer:#}\n"))?;
    } else {
        say(&text::of(&response, options.all))?;
    }
    Ok(match response.unplaced {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::from(SOME_UNPLACED),
    })
}

impl Options {
    fn request(&self) -> Value {
        let members = [
            ("cluster", Some(json!(self.cluster))),
            ("taskDefinition", Some(json!(self.task_definition))),
            ("count", Some(json!(self.count))),
            ("overrides", self.overrides.clone()),
            ("placementConstraints", listed(&self.constraints, "expression")),
            ("placementStrategy", listed(&self.strategies, "field")),
            ("launchType", self.launch_type.as_ref().map(|it| json!(it))),
            ("group", self.group.as_ref().map(|it| json!(it))),
            ("instances", Some(json!(if self.all { "all" } else { "none" }))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        Value::Object(members.collect())
    }
}

/// Constraints or strategies as requests have them.
fn listed(all: &[Typed], rest_name: &str) -> Option<Value> {
    let one = |it: &Typed| match &it.rest {
        Some(rest) => json!({"type": it.kind, rest_name: rest}),
        None => json!({"type": it.kind}),
    };
    (!all.is_empty()).then(|| all.iter().map(one).collect())
}

fn explain_snapshot(path: &Path, request: &Value) -> anyhow::Result<Value> {
    let snapshot = snapshot::read(path)?;
    let header = snapshot.header;
    let site = Site { owner: header.owner, has_fargate: header.has_fargate };
    let seed = uuid::Uuid::new_v4().as_u64_pair().0;
    let body = serde_json::to_vec(request)?;
    let explained = longshore_server::explain(&body, &snapshot.state, &site, header.taken_at, seed);
    let response = explained.map_err(|error| {
        call::refused(&error).context(format!("the snapshot {}", path.display()))
    })?;
    Ok(serde_json::to_value(response)?)
}

fn overrides(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("overrides are a JSON object, as RunTask takes them".into()),
        Err(error) => Err(format!("this is no JSON: {error}")),
    }
}

fn typed(text: &str) -> Result<Typed, String> {
    let (kind, rest) = match text.split_once(':') {
        Some((kind, rest)) => (kind, Some(rest.trim().to_owned())),
        None => (text, None),
    };
    if kind.trim().is_empty() {
        return Err("it does not begin with a type".into());
    }
    Ok(Typed { kind: kind.trim().into(), rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_type_may_have_colons() {
        let typed = |text| typed(text).map(|it| (it.kind, it.rest));
        let rest = Some("attribute:zone == a".to_owned());
        assert_eq!(typed("memberOf:attribute:zone == a"), Ok(("memberOf".into(), rest)));
        assert_eq!(typed("random"), Ok(("random".into(), None)));
        assert!(typed(":x").is_err());
    }

    #[test]
    fn overrides_are_a_json_object() {
        assert!(overrides(r#"{"cpu": "256"}"#).is_ok());
        assert!(overrides("[]").unwrap_err().contains("object"));
        assert!(overrides(r#"{"cpu": }"#).unwrap_err().contains("line 1 column 9"));
    }
}
