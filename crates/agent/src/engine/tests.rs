//! Each test is a task, what happens to it, and what the engine asks for after each of these.

mod health;
mod ordering;
mod preparation;
mod properties;
mod restarts;
mod scenario;

use expect_test::expect;
use scenario::check;

#[test]
fn a_present_image_is_never_pulled() {
    check(
        "web",
        "tick; created web; started web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
        "#]],
    );
}

#[test]
fn a_missing_image_is_pulled_and_the_container_is_created_again() {
    check(
        "web",
        "tick; missing web; pulled web; created web",
        expect![[r#"
            tick: create web
            missing web: pull web
            pulled web: create web
            created web: start web
        "#]],
    );
}

#[test]
fn an_image_that_cannot_be_had_stops_the_task_with_the_pulls_reason() {
    check(
        "web",
        "tick; missing web; unpullable web",
        expect![[r#"
            tick: create web
            missing web: pull web
            unpullable web: submit STOPPED [web STOPPED because CannotPullContainerError: no]
        "#]],
    );
}

#[test]
fn pulling_first_a_failed_pull_is_not_the_end_of_a_present_image_and_leaves_no_reason() {
    check(
        "pull-first; web",
        "tick; unpullable web; created web; started web; exited web 0",
        expect![[r#"
            tick: pull web
            unpullable web: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            exited web 0: 
        "#]],
    );
}

#[test]
fn pulling_first_a_failed_pull_is_the_reason_when_the_image_is_missing() {
    check(
        "pull-first; web",
        "tick; unpullable web; missing web",
        expect![[r#"
            tick: pull web
            unpullable web: create web
            missing web: submit STOPPED [web STOPPED because CannotPullContainerError: no]
        "#]],
    );
}

#[test]
fn pulling_always_a_failed_pull_is_the_end() {
    check(
        "pull-always; web",
        "tick; unpullable web",
        expect![[r#"
            tick: pull web
            unpullable web: submit STOPPED [web STOPPED because CannotPullContainerError: no]
        "#]],
    );
}

#[test]
fn a_container_that_cannot_be_started_has_a_reason_and_no_exit_code() {
    check(
        "web",
        "tick; created web; unstartable web",
        expect![[r#"
            tick: create web
            created web: start web
            unstartable web: submit STOPPED [web STOPPED because CannotStartContainerError: no]
        "#]],
    );
}

#[test]
fn one_report_is_sent_at_a_time_and_the_next_when_it_is_accepted() {
    check(
        "web",
        "tick; created web; started web; exited web 3; accepted; accepted",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            exited web 3: 
            accepted: submit STOPPED [web STOPPED exit 3]
            accepted: 
        "#]],
    );
}

#[test]
fn the_task_runs_when_all_of_its_containers_do() {
    check(
        "web db",
        "tick; created db; created web; started db; accepted; started web",
        expect![[r#"
            tick: create web, create db
            created db: start db
            created web: start web
            started db: watch db, submit PENDING [db RUNNING]
            accepted: 
            started web: watch web, submit RUNNING [web RUNNING]
        "#]],
    );
}

#[test]
fn an_essential_container_takes_the_others_with_it_all_at_once() {
    check(
        "web log? db?",
        "tick; created web; created log; created db; started web; accepted; started log; accepted;
         started db; accepted; exited web 1; accepted; exited log 0; accepted; exited db 137",
        expect![[r#"
            tick: create web, create log, create db
            created web: start web
            created log: start log
            created db: start db
            started web: watch web, submit PENDING [web RUNNING]
            accepted: 
            started log: watch log, submit PENDING [log RUNNING]
            accepted: 
            started db: watch db, submit RUNNING [db RUNNING]
            accepted: 
            exited web 1: stop log, stop db, submit RUNNING [web STOPPED exit 1]
            accepted: 
            exited log 0: submit RUNNING [log STOPPED exit 0]
            accepted: 
            exited db 137: submit STOPPED [db STOPPED exit 137]
        "#]],
    );
}

#[test]
fn a_container_that_is_not_essential_ends_alone() {
    check(
        "web init?",
        "tick; created init; started init; accepted; exited init 0; accepted; created web;
         started web",
        expect![[r#"
            tick: create web, create init
            created init: start init
            started init: watch init, submit PENDING [init RUNNING]
            accepted: 
            exited init 0: submit PENDING [init STOPPED exit 0]
            accepted: 
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
        "#]],
    );
}

#[test]
fn a_container_that_is_not_essential_may_fail_to_start() {
    check(
        "web extra?",
        "tick; missing extra; unpullable extra; accepted; created web; started web",
        expect![[r#"
            tick: create web, create extra
            missing extra: pull extra
            unpullable extra: submit PENDING [extra STOPPED because CannotPullContainerError: no]
            accepted: 
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
        "#]],
    );
}

#[test]
fn a_link_waits_for_its_target_to_exist_and_then_to_run() {
    check(
        "web->db db",
        "tick; created db; created web; started db",
        expect![[r#"
            tick: create db
            created db: create web, start db
            created web: 
            started db: watch db, start web, submit PENDING [db RUNNING]
        "#]],
    );
}

#[test]
fn volumes_from_wait_for_their_source_to_exist_only() {
    check(
        "web<-data data?",
        "tick; created data; created web",
        expect![[r#"
            tick: create data
            created data: create web, start data
            created web: start web
        "#]],
    );
}

#[test]
fn a_stop_before_anything_was_created_is_over_at_once() {
    check(
        "web db",
        "stop",
        expect![[r#"
            stop: submit STOPPED [web STOPPED, db STOPPED]
        "#]],
    );
}

#[test]
fn a_stop_does_not_wait_for_a_pull() {
    check(
        "web",
        "tick; missing web; stop; pulled web",
        expect![[r#"
            tick: create web
            missing web: pull web
            stop: submit STOPPED [web STOPPED]
            pulled web: 
        "#]],
    );
}

#[test]
fn a_stop_while_docker_creates_leaves_the_container_unstarted() {
    check(
        "web",
        "tick; stop; created web",
        expect![[r#"
            tick: create web
            stop: 
            created web: submit STOPPED [web STOPPED]
        "#]],
    );
}

#[test]
fn a_stop_while_docker_starts_stops_what_came_to_run() {
    check(
        "web",
        "tick; created web; stop; started web; accepted; exited web 143",
        expect![[r#"
            tick: create web
            created web: start web
            stop: 
            started web: watch web, stop web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 143: submit STOPPED [web STOPPED exit 143]
        "#]],
    );
}

#[test]
fn a_repeated_stop_stops_nothing_twice() {
    check(
        "web",
        "tick; created web; started web; stop; stop; tick",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            stop: stop web
            stop: 
            tick: 
        "#]],
    );
}

#[test]
fn a_repeated_outcome_changes_nothing() {
    check(
        "web",
        "tick; created web; created web; started web; started web; exited web 0; exited web 9",
        expect![[r#"
            tick: create web
            created web: start web
            created web: 
            started web: watch web, submit RUNNING [web RUNNING]
            started web: 
            exited web 0: 
            exited web 9: 
        "#]],
    );
}

#[test]
fn containers_that_wait_for_each_other_stop_the_task_at_once() {
    check(
        "a->b b<-a",
        "tick",
        expect![[r#"
            tick: submit STOPPED (TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t) [a STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t, b STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t]
        "#]],
    );
}

#[test]
fn an_unknown_dependency_stops_the_task_at_once() {
    check(
        "a->nobody",
        "tick",
        expect![[r#"
            tick: submit STOPPED (TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t) [a STOPPED because TaskDependencyError: Task dependencies cannot be resolved, taskArn: arn:task/t]
        "#]],
    );
}

#[test]
fn after_a_restart_what_runs_is_only_watched() {
    check(
        "web db",
        "tick; created web; started web; accepted; created db; started db; accepted;
         restart web=running db=running",
        expect![[r#"
            tick: create web, create db
            created web: start web
            started web: watch web, submit PENDING [web RUNNING]
            accepted: 
            created db: start db
            started db: watch db, submit RUNNING [db RUNNING]
            accepted: 
            restart web=running db=running: watch web, watch db
        "#]],
    );
}

#[test]
fn after_a_restart_an_exit_that_happened_meanwhile_is_reported_with_its_code() {
    check(
        "web",
        "tick; created web; started web; accepted; restart web=exited:7",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=exited:7: submit STOPPED [web STOPPED exit 7]
        "#]],
    );
}

#[test]
fn after_a_restart_a_container_that_is_gone_is_reported_as_vanished() {
    check(
        "web",
        "tick; created web; started web; accepted; restart web=missing",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            restart web=missing: submit STOPPED [web STOPPED because ContainerVanishedError: No container matching saved ID found]
        "#]],
    );
}

#[test]
fn after_a_restart_what_docker_did_without_our_hearing_of_it_is_not_done_again() {
    check(
        "web db",
        "tick; restart web=running db=created",
        expect![[r#"
            tick: create web, create db
            restart web=running db=created: watch web, start db, submit PENDING [web RUNNING]
        "#]],
    );
}

#[test]
fn after_a_restart_a_report_that_was_not_accepted_is_sent_again() {
    check(
        "web",
        "tick; created web; started web; restart web=running",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            restart web=running: watch web, submit RUNNING [web RUNNING]
        "#]],
    );
}

#[test]
fn after_a_restart_a_stop_that_was_under_way_is_asked_for_again() {
    check(
        "web",
        "tick; created web; started web; accepted; stop; restart web=running; exited web 137",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            stop: stop web
            restart web=running: watch web, stop web
            exited web 137: submit STOPPED [web STOPPED exit 137]
        "#]],
    );
}

#[test]
fn what_is_left_is_removed_a_while_after_all_of_it_is_told() {
    check(
        "volume; web",
        "tick; created web; started web; accepted; exited web 0; later; accepted; tick; later;
         tick; cleaned; tick",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, submit RUNNING [web RUNNING]
            accepted: 
            exited web 0: submit STOPPED [web STOPPED exit 0]
            later: 
            accepted: 
            tick: 
            later: clean up ecs-app-1-web-00000000000000000002 and volumes ecs-app-1-scratch-00000000000000000001
            tick: 
            cleaned: over
            tick: over
        "#]],
    );
}
