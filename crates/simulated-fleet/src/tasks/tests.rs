use std::time::Duration;

use super::*;
use crate::plan::Span;

/// Steps at milliseconds: `0 run`, `5 stop`, `7 ok` (the oldest report is answered), `9 tick`.
/// What is reported after each is put in the answer.
#[track_caller]
fn check(manner: Manner, steps: &[&str], expect: &str) {
    let (begin, mut tasks) = (Instant::now(), Tasks::default());
    let (mut said, mut waiting) = (Vec::new(), std::collections::VecDeque::new());
    for step in steps {
        let (millis, what) = step.split_once(' ').unwrap();
        let now = begin + Duration::from_millis(millis.parse().unwrap());
        let main = std::iter::once("main".to_owned());
        let mut reports = match what {
            "run" => tasks.run("t", main, manner, now).into_iter().collect(),
            "stop" => tasks.stop("t", main).into_iter().collect(),
            "ok" => tasks.reported(&waiting.pop_front().unwrap(), now),
            _ => Vec::new(),
        };
        while let Some(report) = tasks.due(now) {
            reports.push(report);
        }
        for report in reports {
            said.push(match report.status {
                Status::Running => format!("{millis} RUNNING"),
                Status::Stopped { exit_code: Some(code) } => format!("{millis} STOPPED({code})"),
                Status::Stopped { exit_code: None } => format!("{millis} FAILED"),
            });
            waiting.push_back(report);
        }
    }
    assert_eq!(said.join(", "), expect);
}

fn steady() -> Manner {
    Manner { plan: Plan::RUN, is_clumsy: false }
}

fn timed(start: u64, runs_for: u64) -> Manner {
    let exactly = |it| Span { least: Duration::from_millis(it), most: Duration::from_millis(it) };
    let plan = Plan { start: exactly(start), runs_for: Some(exactly(runs_for)), ..Plan::RUN };
    Manner { plan, is_clumsy: false }
}

#[test]
fn a_task_runs_until_it_is_stopped() {
    check(
        steady(),
        &["0 run", "1 ok", "2 run", "5 stop", "6 stop", "7 ok"],
        "0 RUNNING, 5 STOPPED(0)",
    );
}

#[test]
fn a_task_starts_and_ends_at_its_times() {
    let steps = ["0 run", "9 tick", "10 tick", "15 ok", "24 tick", "25 tick", "26 ok", "99 tick"];
    check(timed(10, 10), &steps, "10 RUNNING, 25 STOPPED(0)");
}

#[test]
fn a_stop_waits_for_the_report_that_is_on_its_way() {
    check(steady(), &["0 run", "1 stop", "2 ok", "3 ok"], "0 RUNNING, 2 STOPPED(0)");
}

#[test]
fn a_task_that_is_stopped_before_it_has_started_never_runs() {
    check(timed(10, 10), &["0 run", "5 stop", "10 tick", "11 ok", "99 tick"], "5 STOPPED(0)");
}

#[test]
fn a_task_that_fails_has_no_exit_code() {
    let manner = Manner { plan: Plan { fails_percent: 100, ..Plan::RUN }, is_clumsy: false };
    check(manner, &["0 run", "1 ok"], "0 FAILED");
}

#[test]
fn an_unknown_task_that_shall_stop_has_stopped() {
    check(steady(), &["0 stop", "1 ok"], "0 STOPPED(0)");
}

#[test]
fn the_clumsy_say_again_what_is_known_and_what_is_not_true_any_more() {
    let manner = Manner { is_clumsy: true, ..steady() };
    let steps = ["0 run", "1 ok", "2 run", "3 ok", "4 stop", "5 ok", "6 ok", "7 ok"];
    let expect = "0 RUNNING, 2 RUNNING, 4 STOPPED(0), 5 STOPPED(1), 5 RUNNING";
    check(manner, &steps, expect);
}
