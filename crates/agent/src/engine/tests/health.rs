//! Health: followed while a container runs, told when nothing else is to be told.

use expect_test::expect;

use super::scenario::check;

#[test]
fn the_health_of_a_container_with_a_check_is_followed_and_told() {
    check(
        "web+health",
        "tick; created web; started web; accepted; healthy web; accepted; unhealthy web; accepted",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            healthy web: follow web from HEALTHY, submit RUNNING [web RUNNING HEALTHY]
            accepted: 
            unhealthy web: follow web from UNHEALTHY, submit RUNNING [web RUNNING UNHEALTHY]
            accepted: 
        "#]],
    );
}

#[test]
fn an_unhealthy_container_goes_on_running() {
    check(
        "web+health",
        "tick; created web; started web; accepted; unhealthy web; accepted; tick",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            unhealthy web: follow web from UNHEALTHY, submit RUNNING [web RUNNING UNHEALTHY]
            accepted: 
            tick: 
        "#]],
    );
}

#[test]
fn of_several_changes_while_a_report_is_under_way_the_last_is_told() {
    check(
        "web+health",
        "tick; created web; started web; healthy web; unhealthy web; healthy web; accepted; accepted",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            healthy web: follow web from HEALTHY
            unhealthy web: follow web from UNHEALTHY
            healthy web: follow web from HEALTHY
            accepted: submit RUNNING [web RUNNING HEALTHY]
            accepted: 
        "#]],
    );
}

#[test]
fn a_change_that_was_undone_meanwhile_is_not_told() {
    check(
        "web+health",
        "tick; created web; started web; accepted; healthy web; unhealthy web; healthy web; accepted",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            healthy web: follow web from HEALTHY, submit RUNNING [web RUNNING HEALTHY]
            unhealthy web: follow web from UNHEALTHY
            healthy web: follow web from HEALTHY
            accepted: 
        "#]],
    );
}

#[test]
fn the_last_health_is_told_with_the_end() {
    check(
        "web+health",
        "tick; created web; started web; healthy web; exited web 1; accepted",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            healthy web: follow web from HEALTHY
            exited web 1: 
            accepted: submit STOPPED [web STOPPED HEALTHY exit 1]
        "#]],
    );
}

#[test]
fn the_health_of_a_stopping_task_is_not_followed() {
    check(
        "web+health",
        "tick; created web; started web; accepted; stop; healthy web",
        expect![[r#"
        tick: create web
        created web: start web
        started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
        accepted: 
        stop: stop web
        healthy web: submit RUNNING [web RUNNING HEALTHY]
    "#]],
    );
}

#[test]
fn health_that_comes_too_late_changes_nothing() {
    check(
        "web+health",
        "tick; created web; started web; accepted; exited web 0; healthy web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            exited web 0: submit STOPPED [web STOPPED UNKNOWN exit 0]
            healthy web: 
        "#]],
    );
}

#[test]
fn after_a_restart_health_is_followed_from_what_was_known() {
    check(
        "web+health",
        "tick; created web; started web; accepted; healthy web; accepted; restart web=running; unhealthy web",
        expect![[r#"
            tick: create web
            created web: start web
            started web: watch web, follow web from UNKNOWN, submit RUNNING [web RUNNING UNKNOWN]
            accepted: 
            healthy web: follow web from HEALTHY, submit RUNNING [web RUNNING HEALTHY]
            accepted: 
            restart web=running: watch web, follow web from HEALTHY
            unhealthy web: follow web from UNHEALTHY, submit RUNNING [web RUNNING UNHEALTHY]
        "#]],
    );
}
