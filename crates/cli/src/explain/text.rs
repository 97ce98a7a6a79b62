//! An explanation for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use longshore_wire::own::{Cause, Excluded, ExplainResponse, NearMiss, PlannedTask};

use crate::output::{counted, instant, number, short};

/// So many instances that would get tasks are named, unless all are asked for.
const NAMED: usize = 20;

/// The whole text, with `all` also of each instance that is out.
pub(super) fn of(response: &ExplainResponse, all: bool) -> String {
    let mut text = head(response);
    let placements = response.placements.as_deref().unwrap_or_default();
    write_placements(&mut text, placements, all);
    write_reasons(&mut text, response);
    write_nearest(&mut text, response.nearest.as_deref().unwrap_or_default());
    if all {
        write_excluded(&mut text, response.excluded.as_deref().unwrap_or_default());
    }
    text
}

fn head(response: &ExplainResponse) -> String {
    let count = response.count.unwrap_or_default();
    let placed = count - response.unplaced.unwrap_or_default();
    let outcome = match (placed, count) {
        (0, 1) => "the task would not be placed".into(),
        (1, 1) => "the task would be placed".into(),
        (0, _) => format!("none of the {} tasks would be placed", number(count.into())),
        _ if placed == count => format!("all {} tasks would be placed", number(count.into())),
        _ => {
            let (placed, count) = (number(placed.into()), number(count.into()));
            format!("{placed} of {count} tasks would be placed")
        }
    };
    let definition = short(response.task_definition.as_ref());
    let cluster = short(response.cluster.as_ref());
    let at = response.as_of.map(|it| format!(" at {}", instant(it))).unwrap_or_default();
    format!("{definition} in cluster {cluster}{at}: {outcome}.\n")
}

/// The tasks of one instance.
struct Share<'a> {
    first: &'a PlannedTask,
    tasks: i64,
}

fn write_placements(text: &mut String, placements: &[PlannedTask], all: bool) {
    let mut shares: Vec<Share<'_>> = Vec::new();
    let mut known: BTreeMap<Option<&String>, usize> = BTreeMap::new();
    for task in placements {
        let at = *known.entry(task.container_instance_arn.as_ref()).or_insert(shares.len());
        match shares.get_mut(at) {
            Some(share) => share.tasks += 1,
            None => shares.push(Share { first: task, tasks: 1 }),
        }
    }
    if shares.is_empty() {
        return;
    }
    let shown = if all { shares.len() } else { shares.len().min(NAMED) };
    text.push_str("\nTASKS  CONTAINER INSTANCE\n");
    for Share { first, tasks } in &shares[..shown] {
        let name = named(first.container_instance_arn.as_ref(), first.ec2_instance_id.as_ref());
        let of = attributes(first).map(|(name, value)| format!("  {name}={value}"));
        let _ = writeln!(text, "{:>5}  {name}{}", number(*tasks), of.collect::<String>());
    }
    let rest = &shares[shown..];
    if !rest.is_empty() {
        let tasks = rest.iter().map(|it| it.tasks).sum();
        let more = counted(length(rest), "more instance", "more instances");
        let _ = writeln!(text, "{:>5}  on {more}, which --all names", number(tasks));
    }
    write_spread(text, &shares);
}

/// How many tasks each value of an attribute gets that is spread over.
fn write_spread(text: &mut String, shares: &[Share<'_>]) {
    let mut spread: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for share in shares {
        for (name, value) in attributes(share.first) {
            *spread.entry(name).or_default().entry(value).or_default() += share.tasks;
        }
    }
    for (name, values) in spread.iter().filter(|(_, it)| it.len() < shares.len()) {
        let values: Vec<_> =
            values.iter().map(|(value, tasks)| format!("{value} {}", number(*tasks))).collect();
        let _ = writeln!(text, "\nTasks by {name}: {}.", values.join(", "));
    }
}

fn attributes(task: &PlannedTask) -> impl Iterator<Item = (&str, &str)> {
    task.attributes
        .iter()
        .flatten()
        .filter_map(|it| Some((it.name.as_deref()?, it.value.as_deref()?)))
}

fn write_reasons(text: &mut String, response: &ExplainResponse) {
    let registered = response.registered.unwrap_or_default();
    let suitable = response.suitable.unwrap_or_default();
    let some_placed = response.placements.as_ref().is_some_and(|it| !it.is_empty());
    let of = counted(registered.into(), "container instance", "container instances");
    let task = if some_placed && response.unplaced != Some(0) { "another task" } else { "a task" };
    let _ = match (registered, suitable) {
        (0, _) => writeln!(text, "\nThe cluster has no container instance."),
        (1, 0) => writeln!(text, "\nThe only container instance cannot take {task}:"),
        (_, 0) => writeln!(text, "\nNone of the {of} can take {task}:"),
        (all, some) if all == some => {
            writeln!(text, "\nEach of the {of} could take {task}.")
        }
        (_, some) => {
            let some = number(some.into());
            writeln!(text, "\n{some} of the {of} could take {task}. What keeps the others out:")
        }
    };
    for reason in response.reasons.iter().flatten() {
        let _ = writeln!(text, "  {}", reason.text.as_deref().unwrap_or_default());
    }
}

fn write_nearest(text: &mut String, nearest: &[NearMiss]) {
    if nearest.is_empty() {
        return;
    }
    text.push_str("\nWhat would have to change, where least would:\n");
    for it in nearest {
        let name = named(it.container_instance_arn.as_ref(), it.ec2_instance_id.as_ref());
        let changes = it.changes.as_deref().unwrap_or_default().join("; ");
        let _ = writeln!(text, "  {name}: {changes}{}", in_the_way(it.task_arns.as_ref()));
    }
}

fn write_excluded(text: &mut String, excluded: &[Excluded]) {
    if excluded.is_empty() {
        return;
    }
    text.push_str("\nEach container instance that is out:\n");
    for it in excluded {
        let name = named(it.container_instance_arn.as_ref(), it.ec2_instance_id.as_ref());
        let _ = writeln!(text, "  {name}");
        for Cause { reason, detail, change, task_arns } in it.causes.iter().flatten() {
            let reason = reason.as_deref().unwrap_or_default().trim_end_matches('.');
            let detail = detail.as_deref().unwrap_or_default().trim_end_matches('.');
            let change = change.as_deref().unwrap_or_default();
            let tasks = in_the_way(task_arns.as_ref());
            let _ = writeln!(text, "    {reason}: {detail}. To change: {change}{tasks}");
        }
    }
}

/// The tasks that would have to end, in parentheses.
fn in_the_way(tasks: Option<&Vec<String>>) -> String {
    let names: Vec<_> = tasks.into_iter().flatten().map(|it| short(Some(it))).collect();
    match names[..] {
        [] => String::new(),
        [only] => format!(" (task {only})"),
        _ => format!(" (tasks {})", names.join(", ")),
    }
}

/// An instance by its id, and EC2's where it has one.
fn named(arn: Option<&String>, ec2: Option<&String>) -> String {
    match ec2 {
        Some(ec2) => format!("{} ({ec2})", short(arn)),
        None => short(arn).to_owned(),
    }
}

fn length<T>(all: &[T]) -> i64 {
    i64::try_from(all.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
