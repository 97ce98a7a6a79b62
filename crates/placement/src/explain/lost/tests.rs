//! Lost tasks as the cause of a cause.

use crate::explain::testing::{FITS, with_request};
use crate::testing::{candidate, candidates};

/// What is said of an instance: of `web` tasks of 1,024 CPU units, 512 MiB and TCP 80, distinct.
#[track_caller]
fn check(instance: &str, expect: &str) {
    let candidate = candidate(&format!("i {FITS} {instance}"));
    let detail = with_request(1024, |request| request.filter().detail(&candidate));
    assert_eq!(detail.unwrap_or_default(), expect, "{instance}");
}

#[test]
fn they_are_named_where_the_task_would_fit_without_them() {
    check(
        "cpu=512/4096 lost=512:0:0",
        "asked for 1,024 CPU units, but 512 of 4,096 remain, because of a lost task",
    );
    check("cpu=512/4096 lost=511:0:0", "asked for 1,024 CPU units, but 512 of 4,096 remain");
    check(
        "memory=0/3768 lost=1:256:0 lost=1:256:0 lost=1:0:0",
        "asked for 512 MiB of memory, but 0 of 3,768 remain, because of 2 lost tasks",
    );
    check("tcp=80 lost=1:1:80", "TCP 80 is taken by a lost task");
    check("tcp=80,81 lost=1:1:81", "TCP 80 is taken by a task");
    check("reserved-tcp=80 lost=1:1:80", "TCP 80 is reserved by the agent");
    check(
        "tcp=101-200 lost=1:1:101",
        "asked for 1 host ports, but 100 of 100 are in use, because of a lost task",
    );
    check("tasks=lost lost=1:1:0", "");
}

#[test]
fn one_of_the_group_is_in_the_way_of_the_next() {
    check("tasks=web lost=0:0:0:web", "a lost task of group web may still run there");
    check("tasks=web*2 lost=0:0:0:web", "2 tasks of group web run there");
    check(
        "tasks=web*2 lost=0:0:0:web lost=0:0:0:web",
        "2 lost tasks of group web may still run there",
    );
}

#[test]
fn they_are_counted_in_the_sum() {
    let instances = [
        "a memory=0/1000 lost=0:600:0",
        "b memory=0/1000 lost=0:600:0 agent=off",
        "c memory=0/1000",
        "d tcp=80 lost=0:0:80",
    ];
    let lines = instances.map(|it| format!("{it} {FITS}")).join("\n");
    let candidates = candidates(&lines);
    with_request(512, |request| {
        let summary = request.summary(candidates.iter());
        let filter = request.filter();
        let tallies: Vec<_> = summary.tallies.iter().map(|it| it.text(&filter, None)).collect();
        assert_eq!(
            tallies,
            [
                "3 lack 512 MiB of memory, 2 of them because of lost tasks, \
                 1 of them out for another reason also",
                "1 has no connected agent, out for another reason also",
                "1 has TCP 80 in use because of lost tasks",
            ]
        );
    });
}
