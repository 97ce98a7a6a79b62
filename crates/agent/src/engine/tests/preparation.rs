//! What the containers of a task need together is there before any of them.

use expect_test::expect;

use super::scenario::check;

#[test]
fn limits_are_made_first_and_removed_last() {
    check(
        "limits; web",
        "tick; prepared; created web; started web; accepted; exited web 0; accepted; later; cleaned",
        expect![[r#"
            tick: prepare
            prepared: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 0: submit STOPPED [web STOPPED exit 0]
            accepted: 
            later: clean up ecs-app-1-web-00000000000000000001 and limits
            cleaned: over
        "#]],
    );
}

#[test]
fn images_are_pulled_meanwhile() {
    check(
        "limits; pull-first; web",
        "tick; pulled web; prepared",
        expect![[r#"
        tick: pull web
        pulled web: prepare
        prepared: create web
    "#]],
    );
}

#[test]
fn it_is_asked_for_once_whoever_needs_it() {
    check(
        "limits; web db",
        "tick; tick; prepared",
        expect![[r#"
        tick: prepare
        tick: 
        prepared: create web, create db
    "#]],
    );
}

#[test]
fn without_it_the_task_fails_and_says_why() {
    check(
        "limits; web db?",
        "tick; unprepared",
        expect![[r#"
        tick: prepare
        unprepared: submit STOPPED (ResourceInitializationError: no) [web STOPPED because ResourceInitializationError: no, db STOPPED because ResourceInitializationError: no]
    "#]],
    );
}

#[test]
fn a_stop_does_not_wait_for_it_but_its_removal_does() {
    check(
        "limits; web",
        "tick; stop; accepted; later; prepared; tick",
        expect![[r#"
        tick: prepare
        stop: submit STOPPED [web STOPPED]
        accepted: 
        later: 
        prepared: clean up ecs-app-1-web-00000000000000000001 and limits
        tick: 
    "#]],
    );
}

#[test]
fn after_a_restart_what_runs_needs_nothing_more() {
    check(
        "limits; web",
        "tick; prepared; created web; started web; accepted; restart web=running; exited web 0",
        expect![[r#"
            tick: prepare
            prepared: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=running: watch web
            exited web 0: submit STOPPED [web STOPPED exit 0]
        "#]],
    );
}

#[test]
fn after_a_restart_it_is_made_again_for_what_is_yet_to_run() {
    check(
        "limits; web db",
        "tick; prepared; created web; created db; started web; accepted; restart web=running db=created; prepared",
        expect![[r#"
            tick: prepare
            prepared: create web, create db
            created web: start web
            created db: start db
            started web: watch web, submit PENDING [web RUNNING]
            accepted: 
            restart web=running db=created: watch web, prepare
            prepared: start db
        "#]],
    );
}
