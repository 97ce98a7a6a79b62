//! Signs of life. Time is tokio's, and moves when nothing else is left to do.

use std::time::Duration;

use longshore_wire::acs::ServerMessage;
use tokio::time::Instant;

use crate::harness::{Machine, World};

#[tokio::test(start_paused = true)]
async fn an_agent_hears_a_heartbeat_every_thirty_seconds() {
    let world = World::start_inline().await;
    let mut agent = world.join(&Machine::default()).await;
    let connected = Instant::now();
    for beat in 1..=20 {
        let frame = agent.frame().await.expect("the connection lasts");
        let Some(ServerMessage::Heartbeat(heartbeat)) = ServerMessage::decode(&frame).unwrap()
        else {
            panic!("not a heartbeat: {frame}");
        };
        assert!(heartbeat.healthy && heartbeat.message_id.is_some());
        let at = connected.elapsed().as_secs_f64();
        assert!((at - f64::from(beat) * 30.0).abs() < 1.0, "{at}");
    }
    assert_eq!(world.instance(&agent.instance).await["agentConnected"], true);
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_which_nothing_is_heard_is_not_connected_within_ten_seconds() {
    let world = World::start_inline().await;
    let agent = world.join(&Machine::default()).await;
    let connected = Instant::now();
    // The agent does not read, and so does not answer the server's pings either.
    world.until_connected(&agent.instance, false).await;
    let took = connected.elapsed();
    assert!((Duration::from_secs(9)..=Duration::from_secs(10)).contains(&took), "{took:?}");
}
