use longshore_model::{InstanceStatus, JoinTokenStatus, Resources, Tags};

use super::*;
use crate::access::AccessDenied;
use crate::container_instances::{RegisterError, Registration};
use crate::testing::{World, cluster};

pub(super) fn new_token(uses: u32, good_for_secs: u32) -> NewToken {
    NewToken { cluster: cluster(), uses, good_for_secs, note: None }
}

pub(super) fn key(bits: u128) -> InstanceKeyId {
    InstanceKeyId::from_bits(bits)
}

async fn token(world: &World, uses: u32, good_for_secs: u32) -> JoinTokenId {
    world.control.create_join_token(new_token(uses, good_for_secs)).await.unwrap().id
}

fn registration(container_instance: Option<InstanceId>) -> Registration {
    Registration {
        cluster: cluster(),
        container_instance,
        resources: Resources { cpu_units: 1024, memory_mib: 1024 },
        reserved_ports_tcp: Default::default(),
        reserved_ports_udp: Default::default(),
        attributes: Vec::new(),
        ec2_instance_id: None,
        version_info: Default::default(),
        tags: Tags::default(),
    }
}

pub(super) async fn register(
    world: &World,
    key: InstanceKeyId,
    named: Option<InstanceId>,
) -> Result<InstanceId, RegisterError> {
    let caller = Caller::Instance(key);
    world.control.register_container_instance(registration(named), caller).await.map(|it| it.id)
}

#[tokio::test]
async fn a_token_is_for_as_many_machines_as_it_says() {
    let world = World::new().await;
    let token = token(&world, 2, 3600).await;
    world.control.join(token, key(1)).await.unwrap();
    let again = world.control.join(token, key(1)).await.unwrap();
    assert_eq!(world.control.view().join_token(token).unwrap().used, 1, "a repeated call is one");
    assert_eq!((again.token, again.instance, &again.cluster), (token, None, &cluster()));
    world.control.join(token, key(2)).await.unwrap();
    let error = world.control.join(token, key(3)).await.unwrap_err().to_string();
    assert!(error.contains("was for 2 uses, and they are used up"), "{error}");
    world.control.join(token, key(2)).await.unwrap();
    assert_eq!(world.control.view().instance_keys().count(), 2);
}

#[tokio::test]
async fn a_token_is_good_for_a_while() {
    let world = World::new().await;
    let token = token(&world, 2, 60).await;
    world.wait(59);
    world.control.join(token, key(1)).await.unwrap();
    world.wait(1);
    let error = world.control.join(token, key(2)).await.unwrap_err().to_string();
    assert!(error.contains(&format!("{token} has expired")), "{error}");
    world.control.join(token, key(1)).await.expect("the answer to a call in time was lost");
}

#[tokio::test]
async fn nobody_joins_with_a_revoked_token_and_those_that_have_stay() {
    let world = World::new().await;
    let token = token(&world, 5, 60).await;
    world.control.join(token, key(1)).await.unwrap();
    let revoked = world.control.revoke_join_token(token).await.unwrap();
    assert_eq!(revoked.status(world.control.now()), JoinTokenStatus::Revoked);
    world.wait(1);
    assert_eq!(world.control.revoke_join_token(token).await.unwrap(), revoked, "once");
    for bits in [1, 2] {
        let error = world.control.join(token, key(bits)).await.unwrap_err().to_string();
        assert!(error.contains("was revoked"), "{error}");
    }
    register(&world, key(1), None).await.unwrap();
}

#[tokio::test]
async fn a_token_is_of_a_cluster_in_use_and_within_bounds() {
    let world = World::new().await;
    for (uses, secs) in [(0, 60), (MAX_USES + 1, 60), (1, 0), (1, MAX_TOKEN_SECS + 1)] {
        assert!(world.control.create_join_token(new_token(uses, secs)).await.is_err());
    }
    let other = NewToken { cluster: "other".parse().unwrap(), ..new_token(1, 60) };
    assert!(world.control.create_join_token(other).await.is_err());
    let token = token(&world, 1, 60).await;
    world.control.delete_cluster(cluster()).await.unwrap();
    let error = world.control.join(token, key(1)).await.unwrap_err();
    assert!(matches!(error, JoinError::Cluster(_)), "{error}");
    assert_eq!(world.control.view().join_token(token).unwrap().used, 0);
    let unknown = JoinTokenId::from_bits(99);
    let error = world.control.join(unknown, key(1)).await.unwrap_err();
    assert!(matches!(error, JoinError::UnknownToken(_)), "{error}");
}

#[tokio::test]
async fn a_key_is_bound_to_its_first_instance() {
    let world = World::new().await;
    let token = token(&world, 2, 60).await;
    for bits in [1, 2] {
        world.control.join(token, key(bits)).await.unwrap();
    }
    let first = register(&world, key(1), None).await.unwrap();
    assert_eq!(world.control.view().instance_key(key(1)).unwrap().instance, Some(first));
    let again = register(&world, key(1), None).await.unwrap();
    assert_eq!(again, first, "the answer was lost");
    assert_eq!(register(&world, key(1), Some(first)).await.unwrap(), first);
    for denied in [
        register(&world, key(2), Some(first)).await,
        register(&world, key(1), Some(InstanceId::from_bits(7))).await,
        register(&world, key(3), None).await,
    ] {
        assert!(matches!(denied, Err(RegisterError::Access(_))), "{denied:?}");
    }
    assert_eq!(world.control.view().instance_key(key(2)).unwrap().instance, None);
    assert_eq!(world.control.view().all_instances().count(), 1);
}

#[tokio::test]
async fn the_key_of_a_deregistered_instance_makes_no_other() {
    let world = World::new().await;
    let token = token(&world, 1, 60).await;
    world.control.join(token, key(1)).await.unwrap();
    let id = register(&world, key(1), None).await.unwrap();
    world.control.deregister_container_instance(cluster(), id, false).await.unwrap();
    let named = register(&world, key(1), Some(id)).await;
    assert!(matches!(named, Err(RegisterError::Inactive)), "{named:?}");
    let unnamed = register(&world, key(1), None).await;
    assert!(matches!(unnamed, Err(RegisterError::Ended)), "{unnamed:?}");
    let status = world.control.view().instance(id).unwrap().status;
    assert_eq!(status, InstanceStatus::Inactive);
}

#[tokio::test]
async fn a_revoked_key_may_nothing() {
    let world = World::new().await;
    let token = token(&world, 1, 60).await;
    world.control.join(token, key(1)).await.unwrap();
    let id = register(&world, key(1), None).await.unwrap();
    world.control.revoke_instance_key(key(1)).await.unwrap();
    let denied = register(&world, key(1), Some(id)).await;
    let gone = matches!(denied, Err(RegisterError::Access(AccessDenied::Gone(_))));
    assert!(gone, "{denied:?}");
    let again = world.control.join(token, key(1)).await;
    assert!(matches!(again, Err(JoinError::KeyRevoked(_))), "{again:?}");
    assert!(world.control.revoke_instance_key(key(2)).await.is_err());
}

#[tokio::test]
async fn a_restart_knows_tokens_and_keys() {
    let world = World::new().await;
    let token = token(&world, 2, 60).await;
    world.control.join(token, key(1)).await.unwrap();
    let id = register(&world, key(1), None).await.unwrap();
    let world = world.restarted();
    assert_eq!(world.control.view().join_token(token).unwrap().used, 1);
    assert_eq!(register(&world, key(1), Some(id)).await.unwrap(), id);
    world.control.join(token, key(2)).await.unwrap();
    assert!(world.control.join(token, key(3)).await.is_err());
}

#[tokio::test]
async fn what_is_no_good_is_forgotten_after_a_day() {
    let world = World::new().await;
    let (expired, revoked) = (token(&world, 9, 60).await, token(&world, 9, 30 * 86_400).await);
    for bits in [1, 2, 3] {
        world.control.join(expired, key(bits)).await.unwrap();
    }
    let id = register(&world, key(1), None).await.unwrap();
    world.control.revoke_join_token(revoked).await.unwrap();
    world.control.revoke_instance_key(key(2)).await.unwrap();
    let left = || -> (usize, Vec<InstanceKeyId>) {
        let state = world.control.view();
        (state.join_tokens().count(), state.instance_keys().map(|it| it.id).collect())
    };
    world.wait(KEEP_SECS);
    world.control.reap().await.unwrap();
    assert_eq!(left(), (2, vec![key(1), key(2), key(3)]));
    world.wait(61);
    world.control.reap().await.unwrap();
    assert_eq!(left(), (0, vec![key(1), key(3)]));
    world.control.deregister_container_instance(cluster(), id, false).await.unwrap();
    world.wait(3601);
    world.control.reap().await.unwrap();
    assert_eq!(left(), (0, vec![key(3)]), "with its instance");
}
