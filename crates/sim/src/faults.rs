//! What goes wrong beside lost messages.

use crate::checks::Violation;
use crate::docker::Standing;
use crate::event::{Event, Life};
use crate::journal::Soundness;
use crate::network::{LinkId, Notice};
use crate::world::World;

/// A kind of mishap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9 of the agent, between two steps.
    AgentDies,
    /// kill -9 of the agent after it asked Docker and before it saved.
    AgentDiesInStep,
    /// The machine loses its power, and the last seconds of the agent's files.
    PowerFails,
    /// kill -9 of the control plane.
    PlaneDies,
    /// The journal cannot keep a batch, or says so although it did.
    JournalFails,
    /// A connection is cut, with or without a sign.
    ConnectionBreaks,
    /// A machine is cut off for a while: nothing gets through, in either direction.
    MachineIsCutOff,
    /// Somebody removes a container by hand.
    ContainerIsLost,
    /// The control plane's clock is set.
    ClockJumps,
    /// A machine's clock is set.
    MachineClockJumps,
    /// The control plane is down, and its clock is set meanwhile.
    PlaneDiesAndClockJumps,
    /// A machine's Docker Engine loses all that it had: containers and images.
    EngineIsLost,
}

impl Fault {
    pub(crate) const ALL: &'static [Self] = &[
        Self::AgentDies,
        Self::AgentDiesInStep,
        Self::PowerFails,
        Self::PlaneDies,
        Self::JournalFails,
        Self::ConnectionBreaks,
        Self::MachineIsCutOff,
        Self::ContainerIsLost,
        Self::ClockJumps,
    ];

    /// Those of later days.
    pub(crate) const OF_EVEN_SEEDS: &'static [Self] =
        &[Self::MachineClockJumps, Self::PlaneDiesAndClockJumps, Self::EngineIsLost];
}

impl World {
    /// Lets one of this world's faults happen, somewhere.
    pub(crate) fn go_wrong(&mut self) -> Result<(), Violation> {
        let Some(fault) = self.stage.random.pick(&self.stage.profile.faults) else {
            return Ok(());
        };
        let at = self.stage.random.below(self.machines.len());
        self.stage.note(|| format!("FAULT {fault:?} (machine {at})"));
        match fault {
            Fault::AgentDies => self.kill_agent(at),
            Fault::AgentDiesInStep => {
                if let Some(machine) = self.machines.get_mut(at) {
                    machine.dies_in_step = machine.agent.is_some();
                }
            }
            Fault::PowerFails => self.lose_power(at),
            Fault::PlaneDies => self.stop_plane()?,
            Fault::JournalFails => {
                let kept = self.stage.random.chance(50);
                if self.plane.is_up() && self.plane.journal.soundness() == Soundness::Sound {
                    self.plane.journal.set(Soundness::AboutToFail { kept });
                }
            }
            Fault::ConnectionBreaks => {
                let links: Vec<LinkId> = self.plane.links();
                if let Some(link) = self.stage.random.pick(&links) {
                    let notice = match self.stage.random.chance(50) {
                        true => Notice::prompt(&mut self.stage),
                        false => Notice::silent(&mut self.stage),
                    };
                    self.cut(link, notice);
                }
            }
            Fault::MachineIsCutOff => self.cut_off(at),
            Fault::ContainerIsLost => self.lose_container(at),
            Fault::ClockJumps => self.set_clock(),
            Fault::MachineClockJumps => {
                if let Some(machine) = self.machines.get_mut(at) {
                    machine.clock.set(&mut self.stage);
                }
            }
            Fault::PlaneDiesAndClockJumps => {
                self.stop_plane()?;
                self.set_clock();
            }
            Fault::EngineIsLost => self.lose_engine(at),
        }
        Ok(())
    }

    fn set_clock(&mut self) {
        let most = self.stage.profile.jump_millis;
        let millis = self.stage.random.between(-most, most);
        self.stage.jump(millis);
    }

    /// Docker's files are gone, and with them all containers; the agent's are there.
    fn lose_engine(&mut self, at: usize) {
        let Some(machine) = self.machines.get_mut(at) else { return };
        machine.docker.lose_everything(self.stage.now_millis);
        let link = machine.kill();
        self.agent_died(at, link);
    }

    fn kill_agent(&mut self, at: usize) {
        if let Some(machine) = self.machines.get_mut(at)
            && machine.agent.is_some()
        {
            let link = machine.kill();
            self.agent_died(at, link);
        }
    }

    /// The kernel closes a dead process's connections; somebody starts the agent again.
    pub(crate) fn agent_died(&mut self, at: usize, link: Option<LinkId>) {
        if let Some(link) = link {
            let notice = Notice::prompt(&mut self.stage);
            self.cut(link, notice);
        }
        let pause = self.stage.random.pick(&[50, 300, 2_000, 60_000]).unwrap_or(300);
        self.stage.after(pause, Event::Boot(at));
    }

    fn cut_off(&mut self, at: usize) {
        let Some(machine) = self.machines.get_mut(at) else { return };
        let lasts = self.stage.random.between(10_000, 400_000);
        machine.cut_off_until_millis = self.stage.now_millis + lasts;
        if let Some(link) = machine.link() {
            let notice = Notice::silent(&mut self.stage);
            self.cut(link, notice);
        }
    }

    fn lose_power(&mut self, at: usize) {
        let Some(machine) = self.machines.get_mut(at) else { return };
        let link = machine.kill();
        machine.docker.lose_power(self.stage.now_millis);
        let unsynced = self.stage.random.between(0, 5_000);
        machine.disk.lose_since(self.stage.now_millis - unsynced);
        if let Some(link) = link {
            let notice = Notice::silent(&mut self.stage);
            self.cut(link, notice);
        }
        let pause = self.stage.random.between(5_000, 120_000);
        self.stage.after(pause, Event::Boot(at));
    }

    /// The control plane's process ends; somebody starts it again.
    pub(crate) fn stop_plane(&mut self) -> Result<(), Violation> {
        if !self.plane.is_up() {
            return Ok(());
        }
        self.settle()?;
        let links = self.plane.stop();
        for link in links {
            let notice = match self.stage.mishap(20) {
                true => Notice::silent(&mut self.stage),
                false => Notice::prompt(&mut self.stage),
            };
            self.cut(link, notice);
        }
        let pause = self.stage.random.pick(&[10, 500, 5_000, 60_000]).unwrap_or(500);
        self.stage.after(pause, Event::PlaneStarts);
        Ok(())
    }

    fn lose_container(&mut self, at: usize) {
        let Some(machine) = self.machines.get_mut(at) else { return };
        let alive = machine.docker.containers();
        let alive = alive.filter(|it| !matches!(it.1.standing, Standing::Exited { .. }));
        let names: Vec<String> = alive.map(|it| it.0.clone()).collect();
        if let Some(name) = self.stage.random.pick(&names) {
            machine.docker.lose(&name, &mut self.stage);
        }
    }

    /// Whether this life of an agent goes on.
    pub(crate) fn is_alive(&self, life: Life) -> bool {
        self.machines.get(life.machine).is_some_and(|it| it.is_alive(life))
    }
}
