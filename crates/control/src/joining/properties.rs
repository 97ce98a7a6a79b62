//! Whatever is asked for, in whatever order, over restarts: a token lets in as many machines as it
//! says, while it may; a key is one instance's for good, and an instance one key's.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{key, new_token, register};
use super::*;
use crate::testing::{World, cluster};

/// Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Make { uses: u32, secs: u32 },
    Join { token: usize, key: u128 },
    Register { key: u128, named: Option<usize> },
    Deregister { instance: usize },
    RevokeToken { token: usize },
    RevokeKey { key: u128 },
    Wait { seconds: i64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let keys = 0..12_u128;
    prop_oneof![
        2 => (1..4_u32, 1..200_u32).prop_map(|(uses, secs)| Step::Make { uses, secs }),
        8 => (any::<usize>(), keys.clone()).prop_map(|(token, key)| Step::Join { token, key }),
        8 => (keys.clone(), prop::option::of(any::<usize>()))
            .prop_map(|(key, named)| Step::Register { key, named }),
        1 => any::<usize>().prop_map(|instance| Step::Deregister { instance }),
        1 => any::<usize>().prop_map(|token| Step::RevokeToken { token }),
        1 => keys.prop_map(|key| Step::RevokeKey { key }),
        2 => (1..100_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Restart),
    ]
}

/// What was ever seen, whatever is forgotten.
#[derive(Default)]
struct Seen {
    /// The keys that a token made.
    made: BTreeMap<JoinTokenId, Vec<InstanceKeyId>>,
    /// Whose instance it is.
    bound: BTreeMap<InstanceId, InstanceKeyId>,
}

impl Seen {
    fn look(&mut self, state: &State) {
        for key in state.instance_keys() {
            let made = self.made.entry(key.token).or_default();
            if !made.contains(&key.id) {
                made.push(key.id);
            }
            if let Some(instance) = key.instance {
                let first = *self.bound.entry(instance).or_insert(key.id);
                assert_eq!(first, key.id, "two keys are one instance's");
                assert_eq!(state.instance(instance).unwrap().cluster, key.cluster);
            }
        }
        for (instance, key) in &self.bound {
            let now = state.instance_key(*key).and_then(|it| it.instance);
            assert!(now.is_none_or(|it| it == *instance), "a key changes its instance");
        }
        for token in state.join_tokens() {
            let made = self.made.get(&token.id).map_or(0, Vec::len);
            assert_eq!(token.used as usize, made);
            assert!(token.used <= token.uses);
        }
        let unbound = state.all_instances().filter(|it| !self.bound.contains_key(&it.id));
        assert_eq!(unbound.count(), 0, "an instance that no key was bound to");
    }
}

async fn check(steps: Vec<Step>) {
    let mut world = World::new().await;
    let mut seen = Seen::default();
    for step in steps {
        let state = world.control.view();
        let token = |number: usize| {
            let all: Vec<_> = state.join_tokens().map(Arc::clone).collect();
            (!all.is_empty()).then(|| Arc::clone(&all[number % all.len()]))
        };
        let instance = |number: usize| {
            let all: Vec<_> = state.all_instances().map(|it| it.id).collect();
            (!all.is_empty()).then(|| all[number % all.len()])
        };
        match step {
            Step::Make { uses, secs } => {
                world.control.create_join_token(new_token(uses, secs)).await.unwrap();
            }
            Step::Join { token: number, key: bits } => {
                let Some(token) = token(number) else { continue };
                let is_known = state.instance_key(key(bits)).is_some();
                let is_usable = token.status(world.control.now()) == JoinTokenStatus::Usable;
                let joined = world.control.join(token.id, key(bits)).await.is_ok();
                assert!(!joined || is_known || is_usable);
                assert!(joined || is_known || !is_usable);
            }
            Step::Register { key: bits, named } => {
                let known = state.instance_key(key(bits)).map(Arc::clone);
                let named = named.and_then(instance);
                let registered = register(&world, key(bits), named).await;
                let is_good = known.is_some_and(|it| it.revoked_at.is_none());
                assert!(registered.is_err() || is_good, "a bad key registers {registered:?}");
            }
            Step::Deregister { instance: number } => {
                let Some(id) = instance(number) else { continue };
                world.control.deregister_container_instance(cluster(), id, true).await.unwrap();
            }
            Step::RevokeToken { token: number } => {
                let Some(token) = token(number) else { continue };
                world.control.revoke_join_token(token.id).await.unwrap();
            }
            Step::RevokeKey { key: bits } => {
                let _ = world.control.revoke_instance_key(key(bits)).await;
            }
            Step::Wait { seconds } => world.wait(seconds),
            Step::Restart => world = world.restarted(),
        }
        seen.look(&world.control.view());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_lets_in_more_than_may(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(steps));
    }
}
