use std::time::Duration;

use crate::testing::World;

#[tokio::test]
async fn what_has_ended_is_kept_as_long_as_the_control_plane_was_told() {
    let mut world = World::new().await;
    let default = world.control.keeps_ended_for();
    assert_eq!(default, Duration::from_secs(3600));
    world.control = world.control.keeping_ended_for(Duration::from_secs(10));
    let instance = world.register(4096, true).await;
    let tasks = world.run("web", None).await.unwrap().tasks;
    let cluster = crate::testing::cluster();
    world.control.deregister_container_instance(cluster, instance, true).await.unwrap();
    let survivor = world.register(4096, true).await;
    let running = world.run("web", None).await.unwrap().tasks;

    world.wait(10);
    assert!(world.control.reap().await.unwrap().is_empty());
    world.wait(1);
    let overdue = world.control.reap().await.unwrap();
    assert_eq!(overdue.tasks, tasks.iter().map(|it| it.id).collect::<Vec<_>>());
    assert_eq!(overdue.container_instances, [instance]);
    let state = world.control.view();
    assert!(state.all_tasks().map(|it| it.id).eq(running.iter().map(|it| it.id)));
    assert!(state.instance(survivor).is_some());
    state.check_derived().unwrap();
}
