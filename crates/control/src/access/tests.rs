use longshore_model::ClusterName;

use super::*;
use crate::joining::NewToken;
use crate::testing::{World, cluster};

/// Two instances that have joined, with a task each, and one that was registered with the root key.
struct Scene {
    world: World,
    keys: [InstanceKeyId; 2],
    instances: [InstanceId; 2],
    tasks: [TaskId; 2],
    other: InstanceId,
}

async fn scene() -> Scene {
    let world = World::new().await;
    let new = NewToken { cluster: cluster(), uses: 9, good_for_secs: 60, note: None };
    let token = world.control.create_join_token(new).await.unwrap().id;
    let keys = [InstanceKeyId::from_bits(1), InstanceKeyId::from_bits(2)];
    let (mut instances, mut tasks) = (Vec::new(), Vec::new());
    for key in keys {
        world.control.join(token, key).await.unwrap();
        let id = world.register_as(Caller::Instance(key), 256, true).await;
        let placed = world.run("group", None).await.unwrap();
        instances.push(id);
        tasks.push(placed.tasks[0].id);
    }
    let other = world.register(256, false).await;
    let (instances, tasks) = (instances.try_into().unwrap(), tasks.try_into().unwrap());
    Scene { world, keys, instances, tasks, other }
}

impl Scene {
    fn may(&self, caller: Caller, deed: &Deed) -> Result<(), AccessDenied> {
        may(caller, deed, &self.world.control.view())
    }
}

#[tokio::test]
async fn a_key_is_good_for_its_own_instance() {
    let it = scene().await;
    let [own, theirs] = it.instances;
    let [task, other_task] = it.tasks;
    let elsewhere: ClusterName = "elsewhere".parse().unwrap();
    let unknown = TaskId::from_bits(7);
    for (deed, expected) in [
        (Deed::Join, false),
        (Deed::Other, false),
        (Deed::Discover, true),
        (Deed::Nothing, true),
        (Deed::Register(cluster(), None), true),
        (Deed::Register(cluster(), Some(own)), true),
        (Deed::Register(cluster(), Some(theirs)), false),
        (Deed::Register(elsewhere.clone(), None), false),
        (Deed::Register(elsewhere, Some(own)), false),
        (Deed::Instances(vec![own]), true),
        (Deed::Instances(vec![theirs]), false),
        (Deed::Instances(vec![own, theirs]), false),
        (Deed::Instances(vec![it.other]), false),
        (Deed::Task(task), true),
        (Deed::Task(other_task), false),
        (Deed::Task(unknown), true),
    ] {
        let allowed = it.may(Caller::Instance(it.keys[0]), &deed);
        assert_eq!(allowed.is_ok(), expected, "{deed:?}: {allowed:?}");
        assert_eq!(it.may(Caller::Root, &deed).is_ok(), deed != Deed::Join, "{deed:?}");
        let token = Caller::JoinToken(JoinTokenId::from_bits(1));
        assert_eq!(it.may(token, &deed).is_ok(), deed == Deed::Join, "{deed:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_whose_the_key_is_and_what_it_is_good_for() {
    let it = scene().await;
    let text = it.may(Caller::Instance(it.keys[0]), &Deed::Other).unwrap_err().to_string();
    let whose = format!("{} is the key of the agent of container instance", it.keys[0]);
    assert!(text.starts_with(&whose) && text.contains("report its tasks"), "{text}");
}

#[tokio::test]
async fn a_key_without_an_instance_may_only_register_one() {
    let it = scene().await;
    let new = NewToken { cluster: cluster(), uses: 1, good_for_secs: 60, note: None };
    let token = it.world.control.create_join_token(new).await.unwrap().id;
    let fresh = InstanceKeyId::from_bits(3);
    it.world.control.join(token, fresh).await.unwrap();
    let may = |deed| it.may(Caller::Instance(fresh), &deed);
    assert_eq!(may(Deed::Register(cluster(), None)), Ok(()));
    let denied = may(Deed::Register(cluster(), Some(it.instances[0]))).unwrap_err().to_string();
    assert!(denied.contains("may register a container instance in cluster default"), "{denied}");
    assert!(may(Deed::Instances(vec![it.instances[0]])).is_err());
    assert!(may(Deed::Task(it.tasks[0])).is_err());
}

#[tokio::test]
async fn a_revoked_key_and_one_that_is_gone_are_good_for_nothing() {
    let it = scene().await;
    it.world.control.revoke_instance_key(it.keys[0]).await.unwrap();
    for key in [it.keys[0], InstanceKeyId::from_bits(9)] {
        for deed in [Deed::Discover, Deed::Nothing, Deed::Instances(vec![it.instances[0]])] {
            let gone = Err(AccessDenied::Gone(key));
            assert_eq!(it.may(Caller::Instance(key), &deed), gone, "{deed:?}");
        }
    }
}
