//! Clusters as tables, and what is said of them as a whole.

use crate::explain::testing::{FITS, with_request};
use crate::testing::{candidates, name};

/// For `web` tasks of 512 CPU units, 512 MiB and TCP 80 in zone b, distinct, with a capability:
/// `SUITABLE/ALL`, each tally's sentence, and the nearest by name.
#[track_caller]
fn check(instances: &str, expect: &[&str], nearest: &str) {
    let line = |it: &str| match it.contains('@') {
        true => it.to_owned(),
        false => format!("{it} {FITS}"),
    };
    let lines = instances.lines().filter(|it| !it.trim().is_empty()).map(line);
    let candidates = candidates(&lines.collect::<Vec<_>>().join("\n"));
    with_request(512, |request| {
        let summary = request.summary(candidates.iter());
        let mut of = Some(summary.instances);
        let filter = request.filter();
        let tallies = summary.tallies.iter().map(|it| it.text(&filter, of.take()));
        let head = format!("{}/{}", summary.suitable, summary.instances);
        assert_eq!(std::iter::once(head).chain(tallies).collect::<Vec<_>>(), expect);
        let names: Vec<_> = summary.nearest.iter().map(|it| name(candidates[*it].id())).collect();
        assert_eq!(names.join(" "), nearest);
    });
}

#[test]
fn where_all_fit_there_is_nothing_to_say() {
    check("a\n b", &["2/2"], "");
    check("", &["0/0"], "");
}

#[test]
fn each_cause_is_counted_and_the_first_says_of_how_many() {
    check(
        "a memory=500/1000
         b memory=500/1000 status=DRAINING
         c memory=500/1000
         d status=DRAINING
         e @cap @os=linux @zone=a
         f",
        &[
            "1/6",
            "3 of 6 lack 512 MiB of memory, 1 of them out for another reason also",
            "2 are DRAINING, 1 of them out for another reason also",
            "1 fails attribute:zone == b",
        ],
        "d e a c b",
    );
}

#[test]
fn each_cause_has_its_words_for_one_and_for_many() {
    for (instance, one, two) in [
        ("status=DRAINING", "is DRAINING", "are DRAINING"),
        ("status=INACTIVE", "is INACTIVE", "are INACTIVE"),
        ("agent=off", "has no connected agent", "have no connected agent"),
        ("cpu=1/1000", "lacks 512 CPU units", "lack 512 CPU units"),
        ("memory=1/1000", "lacks 512 MiB of memory", "lack 512 MiB of memory"),
        ("tcp=80", "has TCP 80 in use", "have TCP 80 in use"),
        ("tcp=101-200", "has no room for 1 host port", "have no room for 1 host port"),
        ("tasks=web", "has a task of group web already", "have a task of group web already"),
        ("@os=linux @zone=b", "lacks attribute:cap", "lack attribute:cap"),
        ("@cap @zone=b", "lacks attribute:os == linux", "lack attribute:os == linux"),
        ("@cap @os=linux", "fails attribute:zone == b", "fail attribute:zone == b"),
        (
            "@cap @os=linux @zone=b @ecs.capability.external",
            "takes no EC2 tasks",
            "take no EC2 tasks",
        ),
    ] {
        check(&format!("a {instance}"), &["0/1", &format!("1 of 1 {one}")], "a");
        let pair = format!("a {instance}\n b {instance}\n c");
        check(&pair, &["1/3", &format!("2 of 3 {two}")], "a b");
    }
}

#[test]
fn who_is_out_for_several_reasons_is_counted_under_each() {
    let both = "agent=off status=DRAINING";
    check(
        &format!("a {both}"),
        &[
            "0/1",
            "1 of 1 is DRAINING, out for another reason also",
            "1 has no connected agent, out for another reason also",
        ],
        "a",
    );
    check(
        &format!("a {both}\n b {both}\n c status=DRAINING"),
        &[
            "0/3",
            "3 of 3 are DRAINING, 2 of them out for another reason also",
            "2 have no connected agent, all of them out for another reason also",
        ],
        "c a b",
    );
}

#[test]
fn those_are_nearest_that_take_fewest_steps_then_those_that_lack_least() {
    check(
        "a memory=0/1000
         b memory=500/1000
         c memory=500/1000 status=DRAINING
         d memory=500/500
         e memory=500/1000
         f cpu=400/1000 memory=500/1000
         g",
        &[
            "1/7",
            "6 of 7 lack 512 MiB of memory, 2 of them out for another reason also",
            "1 is DRAINING, out for another reason also",
            "1 lacks 512 CPU units, out for another reason also",
        ],
        // d is too small, whatever is freed.
        "b e a c f",
    );
}
