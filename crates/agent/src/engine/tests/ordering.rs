//! `dependsOn`: when containers are created, when they give up, and in which order they stop.

use expect_test::expect;

use super::scenario::check;

#[test]
fn start_waits_until_the_other_was_started() {
    check(
        "app@db:START db",
        "tick; created db; started db; created app; started app",
        expect![[r#"
        tick: create db
        created db: start db
        started db: watch db, create app, submit PENDING [db RUNNING]
        created app: start app
        started app: watch app
    "#]],
    );
}

#[test]
fn start_is_met_by_one_that_has_ended_already() {
    check(
        "app@init:START init?",
        "tick; created init; started init; accepted; exited init 3; accepted",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, create app, submit PENDING [init RUNNING]
            accepted: 
            exited init 3: submit PENDING [init STOPPED exit 3]
            accepted: 
        "#]],
    );
}

#[test]
fn complete_waits_for_the_end_whatever_the_exit_code() {
    check(
        "app@init:COMPLETE init?",
        "tick; created init; started init; accepted; exited init 3; accepted; created app; started app",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 3: create app, submit PENDING [init STOPPED exit 3]
            accepted: 
            created app: start app
            started app: watch app, submit RUNNING [app RUNNING]
        "#]],
    );
}

#[test]
fn success_waits_for_an_end_with_0() {
    check(
        "app@init:SUCCESS init?",
        "tick; created init; started init; accepted; exited init 0; accepted; created app; started app",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 0: create app, submit PENDING [init STOPPED exit 0]
            accepted: 
            created app: start app
            started app: watch app, submit RUNNING [app RUNNING]
        "#]],
    );
}

#[test]
fn success_fails_the_container_whose_dependency_ended_otherwise() {
    check(
        "app@init:SUCCESS init?",
        "tick; created init; started init; accepted; exited init 3",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 3: submit STOPPED [app STOPPED because CannotStartContainerError: dependency "init" did not exit successfully, init STOPPED exit 3]
        "#]],
    );
}

#[test]
fn healthy_waits_for_the_health_check_to_pass() {
    check(
        "app@db:HEALTHY db+health",
        "tick; created db; started db; accepted; healthy db; accepted; created app; started app",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN]
            accepted: 
            healthy db: create app, follow db from HEALTHY, submit PENDING [db RUNNING HEALTHY]
            accepted: 
            created app: start app
            started app: watch app, submit RUNNING [app RUNNING]
        "#]],
    );
}

#[test]
fn an_unhealthy_dependency_may_become_healthy_yet() {
    check(
        "app@db:HEALTHY db+health",
        "tick; created db; started db; accepted; unhealthy db; accepted; healthy db",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN]
            accepted: 
            unhealthy db: follow db from UNHEALTHY, submit PENDING [db RUNNING UNHEALTHY]
            accepted: 
            healthy db: create app, follow db from HEALTHY, submit PENDING [db RUNNING HEALTHY]
        "#]],
    );
}

#[test]
fn healthy_fails_the_container_whose_dependency_ended_before() {
    check(
        "app@db:HEALTHY db+health?",
        "tick; created db; started db; accepted; exited db 0",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN]
            accepted: 
            exited db 0: submit STOPPED [app STOPPED because CannotStartContainerError: dependency "db" exited before it was healthy, db STOPPED UNKNOWN exit 0]
        "#]],
    );
}

#[test]
fn a_dependency_that_will_never_start_fails_all_who_wait_for_it_one_by_one() {
    check(
        "app@mid:START mid@init:START? init?",
        "tick; missing init; unpullable init",
        expect![[r#"
            tick: create init
            missing init: pull init
            unpullable init: submit STOPPED [app STOPPED because CannotStartContainerError: dependency "mid" will never start, mid STOPPED because CannotStartContainerError: dependency "init" will never start, init STOPPED because CannotPullContainerError: no]
        "#]],
    );
}

#[test]
fn a_dependency_whose_start_timeout_is_over_is_given_up() {
    check(
        "app@db:HEALTHY db+health+gives-up:30",
        "tick; created db; started db; accepted; later 29; later 1; accepted; exited db 143",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN], wake after 30 s
            accepted: wake after 30 s
            later 29: wake after 1 s
            later 1: stop db, submit PENDING [app STOPPED because CannotStartContainerError: dependency "db" has timed out]
            accepted: 
            exited db 143: submit STOPPED [db STOPPED UNKNOWN exit 143]
        "#]],
    );
}

#[test]
fn a_clock_that_is_set_back_by_hours_makes_nobody_wait_for_hours() {
    check(
        "app@db:HEALTHY db+health+gives-up:30",
        "tick; created db; started db; accepted; later -7200; later 30",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN], wake after 30 s
            accepted: wake after 30 s
            later -7200: wake after 30 s
            later 30: stop db, submit PENDING [app STOPPED because CannotStartContainerError: dependency "db" has timed out]
        "#]],
    );
}

#[test]
fn a_dependency_that_made_it_in_time_is_not_given_up_later() {
    check(
        "app@db:HEALTHY db+health+gives-up:30",
        "tick; created db; started db; accepted; healthy db; accepted; later 30; created app",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN], wake after 30 s
            accepted: wake after 30 s
            healthy db: create app, follow db from HEALTHY, submit PENDING [db RUNNING HEALTHY]
            accepted: 
            later 30: 
            created app: start app
        "#]],
    );
}

#[test]
fn a_start_timeout_does_not_count_for_start() {
    check(
        "app@db:START db+gives-up:30",
        "tick; created db; started db; accepted; later 40",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, create app, submit PENDING [db RUNNING]
            accepted: 
            later 40: 
        "#]],
    );
}

#[test]
fn the_earliest_of_several_start_timeouts_wakes() {
    check(
        "app@a:COMPLETE,b:COMPLETE a+gives-up:30 b+gives-up:20",
        "tick; created a; created b; started a; accepted; started b",
        expect![[r#"
            tick: create a, create b
            created a: start a
            created b: start b
            started a: watch a, submit PENDING [a RUNNING], wake after 30 s
            accepted: wake after 30 s
            started b: watch b, submit PENDING [b RUNNING], wake after 20 s
        "#]],
    );
}

#[test]
fn all_dependencies_must_be_met() {
    check(
        "app@a:START,b:START a b",
        "tick; created a; started a; accepted; created b; started b",
        expect![[r#"
            tick: create a, create b
            created a: start a
            started a: watch a, submit PENDING [a RUNNING]
            accepted: 
            created b: start b
            started b: watch b, create app, submit PENDING [b RUNNING]
        "#]],
    );
}

#[test]
fn one_that_is_not_essential_fails_alone() {
    check(
        "app side@init:SUCCESS? init?",
        "tick; created app; created init; started app; accepted; started init; accepted; exited init 1",
        expect![[r#"
            tick: create app, create init
            created app: start app
            created init: start init
            started app: watch app, submit PENDING [app RUNNING]
            accepted: 
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 1: submit RUNNING [side STOPPED because CannotStartContainerError: dependency "init" did not exit successfully, init STOPPED exit 1]
        "#]],
    );
}

#[test]
fn images_are_pulled_meanwhile() {
    check(
        "pull-first; app@db:START db",
        "tick; pulled app; pulled db; created db; started db",
        expect![[r#"
            tick: pull app, pull db
            pulled app: 
            pulled db: create db
            created db: start db
            started db: watch db, create app, submit PENDING [db RUNNING]
        "#]],
    );
}

#[test]
fn dependants_stop_first() {
    check(
        "app@mid:START mid@db:START db",
        "tick; created db; started db; accepted; created mid; started mid; accepted; created app; started app; accepted; stop; exited app 0; accepted; exited mid 0; accepted; exited db 0",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, create mid, submit PENDING [db RUNNING]
            accepted: 
            created mid: start mid
            started mid: watch mid, create app, submit PENDING [mid RUNNING]
            accepted: 
            created app: start app
            started app: watch app, submit RUNNING [app RUNNING]
            accepted: 
            stop: stop app
            exited app 0: stop mid, submit RUNNING [app STOPPED exit 0]
            accepted: 
            exited mid 0: stop db, submit RUNNING [mid STOPPED exit 0]
            accepted: 
            exited db 0: submit STOPPED [db STOPPED exit 0]
        "#]],
    );
}

#[test]
fn what_links_to_a_container_stops_before_it() {
    check(
        "web->db db",
        "tick; created db; created web; started db; accepted; started web; accepted; stop; exited web 0",
        expect![[r#"
            tick: create db
            created db: create web, start db
            created web: 
            started db: watch db, start web, submit PENDING [db RUNNING]
            accepted: 
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            stop: stop web
            exited web 0: stop db, submit RUNNING [web STOPPED exit 0]
        "#]],
    );
}

#[test]
fn a_dependant_that_does_not_run_holds_up_no_stop() {
    check(
        "app@init:COMPLETE init",
        "tick; created init; started init; accepted; stop",
        expect![[r#"
            tick: create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            stop: stop init, submit PENDING [app STOPPED]
        "#]],
    );
}

#[test]
fn a_dependant_that_is_being_created_is_waited_for() {
    check(
        "app@db:START db",
        "tick; created db; started db; accepted; stop; created app",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, create app, submit PENDING [db RUNNING]
            accepted: 
            stop: 
            created app: stop db, submit PENDING [app STOPPED]
        "#]],
    );
}

#[test]
fn health_of_a_container_without_a_check_cannot_be_waited_for() {
    check(
        "app@db:HEALTHY db",
        "tick",
        expect![[r#"
        tick: submit STOPPED (TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t) [app STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t, db STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t]
    "#]],
    );
}

#[test]
fn dependencies_that_go_round_in_circles_stop_the_task_at_once() {
    check(
        "a@b:START b@a:COMPLETE",
        "tick",
        expect![[r#"
        tick: submit STOPPED (TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t) [a STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t, b STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t]
    "#]],
    );
}

#[test]
fn after_a_restart_dependencies_are_still_waited_for() {
    check(
        "app@db:HEALTHY db+health+gives-up:30",
        "tick; created db; started db; accepted; later 10; restart app=missing db=running; healthy db",
        expect![[r#"
            tick: create db
            created db: start db
            started db: watch db, follow db from UNKNOWN, submit PENDING [db RUNNING UNKNOWN], wake after 30 s
            accepted: wake after 30 s
            later 10: wake after 20 s
            restart app=missing db=running: watch db, follow db from UNKNOWN, wake after 20 s
            healthy db: create app, follow db from HEALTHY, submit PENDING [db RUNNING HEALTHY]
        "#]],
    );
}
