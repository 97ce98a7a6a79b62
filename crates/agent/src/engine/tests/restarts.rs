//! Restart policies: a container that ended is started again in place.

use expect_test::expect;

use super::scenario::check;

#[test]
fn a_container_that_ran_long_enough_is_started_again_and_nothing_is_told() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 1 after 60; started web; exited web 1 after 61",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 1 after 60: start web
            started web: watch web
            exited web 1 after 61: start web
        "#]],
    );
}

#[test]
fn one_that_ran_too_shortly_ends() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 1 after 59",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 1 after 59: submit STOPPED [web STOPPED exit 1]
        "#]],
    );
}

#[test]
fn one_whose_exit_code_is_ignored_ends() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 0 after 60",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 0 after 60: submit STOPPED [web STOPPED exit 0]
        "#]],
    );
}

#[test]
fn one_that_ran_long_and_then_too_shortly_ends_with_its_last_exit_code() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 1 after 60; started web; exited web 2 after 1",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 1 after 60: start web
            started web: watch web
            exited web 2 after 1: submit STOPPED [web STOPPED exit 2]
        "#]],
    );
}

#[test]
fn the_end_of_an_essential_container_between_its_runs_is_not_the_end_of_the_task() {
    check(
        "web+again:60 log?",
        "tick; created web; created log; started web; accepted; started log; accepted; exited web 1 after 60; started web",
        expect![[r#"
            tick: create web, create log
            created web: start web
            created log: start log
            started web: watch web, submit PENDING [web RUNNING]
            accepted: 
            started log: watch log, submit RUNNING [log RUNNING]
            accepted: 
            exited web 1 after 60: start web
            started web: watch web
        "#]],
    );
}

#[test]
fn a_task_that_is_stopped_starts_nothing_again() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; stop; exited web 143 after 60",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            stop: stop web
            exited web 143 after 60: submit STOPPED [web STOPPED exit 143]
        "#]],
    );
}

#[test]
fn one_that_cannot_be_started_again_ends_with_its_last_exit_code_and_the_reason() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 3 after 60; unstartable web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 3 after 60: start web
            unstartable web: submit STOPPED [web STOPPED exit 3 because CannotStartContainerError: no]
        "#]],
    );
}

#[test]
fn a_stop_while_it_is_started_again_stops_what_came_to_run() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 3 after 60; stop; started web; exited web 143 after 1",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 3 after 60: start web
            stop: 
            started web: watch web, stop web
            exited web 143 after 1: submit STOPPED [web STOPPED exit 143]
        "#]],
    );
}

#[test]
fn a_stop_between_two_runs_is_the_end() {
    check(
        "limits; web+again:60",
        "tick; prepared; created web; started web; accepted; restart web=exited:1:60; stop",
        expect![[r#"
            tick: prepare
            prepared: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=exited:1:60: prepare
            stop: submit STOPPED [web STOPPED exit 1]
        "#]],
    );
}

#[test]
fn an_exit_that_comes_twice_before_the_next_run_is_one() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 1 after 60; exited web 1 after 60; started web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 1 after 60: start web
            exited web 1 after 60: 
            started web: watch web
        "#]],
    );
}

#[test]
fn health_begins_anew_with_each_run() {
    check(
        "web+again:60+health",
        "tick; created web; started web; accepted; healthy web; accepted; exited web 1 after 60; started web; accepted; healthy web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            healthy web: follow web from HEALTHY, submit RUNNING [web RUNNING HEALTHY]
            accepted: 
            exited web 1 after 60: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            healthy web: follow web from HEALTHY, submit RUNNING [web RUNNING HEALTHY]
        "#]],
    );
}

#[test]
fn after_a_restart_of_the_agent_one_that_ended_meanwhile_is_started_again() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; restart web=exited:1:60; started web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=exited:1:60: start web
            started web: watch web
        "#]],
    );
}

#[test]
fn after_a_restart_of_the_agent_one_that_ended_too_early_has_ended() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; restart web=exited:1:59",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=exited:1:59: submit STOPPED [web STOPPED exit 1]
        "#]],
    );
}

#[test]
fn after_a_restart_of_the_agent_a_run_whose_beginning_was_missed_is_watched() {
    check(
        "web+again:60",
        "tick; created web; started web; accepted; exited web 1 after 60; restart web=running; exited web 1 after 60",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 1 after 60: start web
            restart web=running: watch web
            exited web 1 after 60: start web
        "#]],
    );
}

#[test]
fn complete_waits_for_the_last_run() {
    check(
        "app@init:COMPLETE init+again:60?",
        "tick; created init; started init; accepted; exited init 1 after 60; started init; exited init 1 after 2",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 1 after 60: start init
            started init: watch init
            exited init 1 after 2: create app, submit PENDING [init STOPPED exit 1]
        "#]],
    );
}
