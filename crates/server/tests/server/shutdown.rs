//! The end of a server, and the next one on the same state.

use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{
    CreateCluster, DescribeClusters, DescribeTasks, ListTasks, RunTask,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Machine, World, soon};

#[tokio::test]
async fn a_server_that_is_asked_to_ends_at_once_and_well() {
    let world = World::start().await;
    let mut agent = world.join(&Machine::default()).await;
    let silent = TcpStream::connect(world.address).await.unwrap();
    world.ask(DescribeClusters, json!({})).await;
    world.request_shutdown();
    assert_eq!(agent.frame().await, None);
    let begun = std::time::Instant::now();
    world.end().await.unwrap();
    assert!(begun.elapsed().as_secs() < 4, "nobody waits for silent connections");
    drop(silent);
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered() {
    let world = World::start().await;
    let request = world.request(CreateCluster, r#"{"clusterName":"late"}"#).signed();
    let mut head = "POST / HTTP/1.1\r\ncontent-length: 22\r\n".to_owned();
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    let mut bytes = [0; 25];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP/1.1 100 Continue\r\n\r\n", "the server reads the body");
    world.request_shutdown();
    stream.write_all(br#"{"clusterName":"late"}"#).await.unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let kept = world.control.store().clone();
    world.end().await.unwrap();
    assert!(kept.view().cluster(&"late".parse().unwrap()).is_some());
}

#[tokio::test]
async fn the_next_server_knows_all_but_who_is_connected() {
    let journal = MemoryJournal::default();
    let world = World::over(Store::open(journal.clone()).unwrap()).await;
    let agent = world.join(&Machine::default()).await;
    world.define("job", json!({"memory": 64})).await;
    let ran = world.ask(RunTask, json!({"taskDefinition": "job", "count": 3})).await;
    let tasks = json!({"tasks": [ran["tasks"][0]["taskArn"], ran["tasks"][2]["taskArn"]]});
    let mut before = world.ask(DescribeTasks, tasks.clone()).await;
    let page = world.ask(ListTasks, json!({"maxResults": 2})).await;
    world.request_shutdown();
    world.end().await.unwrap();

    let world = World::over(Store::open(journal).unwrap()).await;
    for task in before["tasks"].as_array_mut().unwrap() {
        assert_eq!(task["connectivity"], "CONNECTED");
        task["connectivity"] = json!("DISCONNECTED");
    }
    assert_eq!(world.ask(DescribeTasks, tasks).await, before);
    let next = json!({"maxResults": 2, "nextToken": page["nextToken"]});
    let next = world.ask(ListTasks, next).await;
    assert_eq!(next, json!({"taskArns": [ran["tasks"][2]["taskArn"]]}));
    assert_eq!(world.instance(&agent.instance).await["agentConnected"], false);
    let mut agent = world.connect(&agent.instance).await;
    for task in ran["tasks"].as_array().unwrap() {
        assert_eq!(agent.task().await.arn, task["taskArn"].as_str().unwrap());
    }
}
