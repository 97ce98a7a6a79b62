//! `longshore failures`: the RunTask calls that could place nothing, as a cluster remembers them.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longshore_wire::own::{FailureReason, PlacementFailure, PlacementFailuresResponse};
use serde_json::json;

use crate::call;
use crate::options::Connection;
use crate::output::{counted, instant, number, say, short};
use crate::table::Table;

/// What is said after the options.
const AFTER: &str = "\
Calls that differ in nothing but counts are one line. A failure is forgotten a week after it last
happened, and a cluster remembers the latest hundred. `longshore explain` says what would have to
change for a task to fit.";

/// `longshore failures`
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The cluster, by name or ARN.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    cluster: String,

    /// Prints the answer as JSON, for programs.
    #[arg(long, env = "LONGSHORE_FAILURES_JSON")]
    json: bool,

    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let request = json!({"cluster": options.cluster});
    let answer = call::ask(&options.connection, "placement-failures", &request).await?;
    let response: PlacementFailuresResponse =
        serde_json::from_value(answer.clone()).context("the answer cannot be understood")?;
    say(&if options.json { format!("{answer:#}\n") } else { text(&response) })?;
    Ok(ExitCode::SUCCESS)
}

fn text(response: &PlacementFailuresResponse) -> String {
    let cluster = short(response.cluster.as_ref());
    let calls = response.calls.unwrap_or_default();
    if calls == 0 {
        return format!("Cluster {cluster}: no RunTask call has been unable to place anything.\n");
    }
    let calls = counted(calls, "RunTask call", "RunTask calls");
    let mut text = format!("Cluster {cluster}: {calls} could place nothing.\n");
    let failures = response.failures.as_deref().unwrap_or_default();
    if !failures.is_empty() {
        text.push('\n');
        let mut table = Table::new(HEADS);
        failures.iter().map(row).for_each(|it| table.row(it));
        let _ = write!(text, "{table}");
    }
    if let Some(forgotten) = response.forgotten.filter(|it| *it > 0) {
        let are = counted(forgotten, "of the calls is", "of the calls are");
        let _ = writeln!(
            text,
            "\n{are} not listed: failures are forgotten a week after they last happened, or when \
             a hundred later ones are remembered."
        );
    }
    text
}

const HEADS: [&str; 8] =
    ["LAST", "FIRST", "CALLS", "TASK DEFINITION", "GROUP", "STARTED BY", "TASKS", "WHY"];

fn row(failure: &PlacementFailure) -> [String; 8] {
    let at = |it: Option<_>| it.map(instant).unwrap_or_default();
    let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".into());
    [
        at(failure.last_at),
        at(failure.first_at),
        number(failure.calls.unwrap_or_default()),
        short(failure.task_definition_arn.as_ref()).to_owned(),
        text(&failure.group),
        text(&failure.started_by),
        number(failure.count.unwrap_or_default().into()),
        why(failure.reasons.as_deref().unwrap_or_default()),
    ]
}

fn why(reasons: &[FailureReason]) -> String {
    if reasons.is_empty() {
        return "no ACTIVE container instance".into();
    }
    let one = |it: &FailureReason| {
        let reason = it.reason.as_deref().unwrap_or_default().trim_end_matches('.');
        let on = counted(it.count.unwrap_or_default().into(), "instance", "instances");
        format!("{reason} on {on}")
    };
    reasons.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
