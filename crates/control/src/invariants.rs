//! Whatever is asked for, in whatever order: instances are never over-committed, nothing moves
//! back, versions tell of every change, counts are what tasks and instances say, what is deleted is
//! empty, limits are kept, a restart changes nothing but who is connected, and tasks are placed as
//! a look at every instance allows.

mod holds;
mod moves;
mod placed;
mod step;
mod world;

use proptest::prelude::*;

use self::step::{Step, crowd, placing_step, step};
use self::world::World;

async fn check(steps: Vec<Step>) {
    let mut world = World::new().await;
    let mut before = world.control.view();
    for step in steps {
        world.take(step.clone()).await;
        let after = world.control.view();
        holds::check(&after);
        moves::check(&step, &before, &after);
        before = after;
    }
    world.control.fleets.check(&before).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_breaks_an_invariant(steps in prop::collection::vec(step(), 1..100)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(steps));
    }

    #[test]
    fn a_fleet_that_lasts_places_as_a_look_at_every_instance_allows(
        crowd in crowd(),
        steps in prop::collection::vec(placing_step(), 1..100),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check([crowd, steps].concat()));
    }
}
