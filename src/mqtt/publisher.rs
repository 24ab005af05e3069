//! What is published over one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::select;

use super::Shared;
use super::known::Known;
use super::packet::{Incoming, Publish};
use super::pictures::Pictures;
use super::session::Session;
use super::topics::{self, OFFLINE, ONLINE, on_off};
use super::unacknowledged::Unacknowledged;
use crate::cameras::Cameras;
use crate::events::{Event, Kind};
use crate::fetch::Error;
use crate::shutdown::Shutdown;

/// How often states are compared with what was published.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often to look for the broker's answers and for pictures, while some are due. An
/// event does not wait for it.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long the last words may take, after the order to stop.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Answers that are taken at a time.
const MAX_ANSWERS: usize = 256;

/// What stays from one connection to the next.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) unacknowledged: Unacknowledged,
    pub(super) known: Vec<Known>,
}

pub(super) struct Publisher<'a> {
    pub(super) shared: &'a Shared,
    pub(super) cameras: &'a Cameras,
    pub(super) n_viewers: &'a dyn Fn(&str) -> usize,
    pub(super) memory: &'a mut Memory,
    pub(super) session: Session,
    pub(super) pictures: Pictures,
    /// How many of the next events happened while there was no connection.
    pub(super) n_old: usize,
    pub(super) looked_at: Option<Instant>,
}

impl Publisher<'_> {
    /// Publishes until the order to stop, and then the last events.
    ///
    /// # Errors
    /// The connection has ended.
    pub(super) fn run(mut self, stop: &Shutdown) -> Result<(), Error> {
        let topic = &self.shared.topics.status;
        self.shared.publish(&mut self.session, topic, ONLINE.as_bytes(), true)?;
        for (id, event) in self.memory.unacknowledged.all() {
            self.shared.publish_event(&mut self.session, event, *id, true)?;
        }
        self.memory.known.iter_mut().for_each(Known::begin_again);
        let queue = self.shared.subscription.queue();
        loop {
            let pause = self.look(Instant::now())?;
            // Those that wait in the queue are the broker's turn first.
            if self.memory.unacknowledged.is_full() {
                if stop.wait_for(pause) {
                    break;
                }
            } else {
                select! {
                    recv(stop.channel()) -> _ => break,
                    recv(queue) -> event => match event {
                        Ok(event) => self.tell(&event)?,
                        Err(_) => break,
                    },
                    default(pause) => {}
                }
            }
        }
        self.finish()
    }

    /// Looks at all that comes by itself. Returns how long nothing is due.
    fn look(&mut self, now: Instant) -> Result<Duration, Error> {
        self.take_answers(now)?;
        self.session.keep_alive(now)?;
        let is_behind = !self.shared.subscription.queue().is_empty();
        let due = self.looked_at.map(|at| at + LOOK_EVERY).filter(|due| is_behind && *due > now);
        if due.is_none() {
            self.looked_at = Some(now);
            self.look_at_cameras(now)?;
        }
        while let Some((camera, frame)) = self.pictures.next() {
            let topic = self.shared.topics.of_camera(&camera, "snapshot");
            self.shared.publish(&mut self.session, &topic, frame.jpeg(), true)?;
        }
        let is_waiting = !self.pictures.is_empty() || self.memory.unacknowledged.len() > 0;
        Ok(if is_waiting { ASK_EVERY } else { LOOK_EVERY })
    }

    fn take_answers(&mut self, until: Instant) -> Result<(), Error> {
        for _ in 0..MAX_ANSWERS {
            match self.session.receive(until)? {
                Some(Incoming::PublishAck(id)) => self.memory.unacknowledged.acknowledge(id),
                Some(_) => {}
                None => break,
            }
        }
        self.shared.status.lock().n_unacknowledged = self.memory.unacknowledged.len();
        Ok(())
    }

    /// An event, just now or while there was no connection.
    fn tell(&mut self, event: &Arc<Event>) -> Result<(), Error> {
        let is_old = self.n_old > 0;
        self.n_old = self.n_old.saturating_sub(1);
        let id = self.memory.unacknowledged.add(Arc::clone(event));
        self.shared.publish_event(&mut self.session, event, id, false)?;
        let is_moving = match event.kind {
            Kind::MotionBegin => true,
            Kind::MotionEnd => false,
            _ => return Ok(()),
        };
        // Nobody should be woken by what moved an hour ago; the present state was published
        // at the connection.
        if is_old {
            return Ok(());
        }
        self.publish_of(&event.camera, "motion", on_off(is_moving))?;
        if let Some(camera) = self.cameras.find(&event.camera).filter(|_| is_moving) {
            self.pictures.ask(&camera);
        }
        Ok(())
    }

    /// The last events, and that the program ends.
    fn finish(mut self) -> Result<(), Error> {
        let until = Instant::now() + LAST_WORDS;
        self.session.finish_until(until);
        let topic = &self.shared.topics.status;
        self.shared.publish(&mut self.session, topic, OFFLINE.as_bytes(), true)?;
        while let Ok(event) = self.shared.subscription.queue().try_recv() {
            self.tell(&event)?;
        }
        let all = self.cameras.all();
        all.iter().try_for_each(|camera| {
            self.publish_of(&camera.name, "state", &topics::state(camera, 0))
        })?;
        while self.memory.unacknowledged.len() > 0 && Instant::now() < until {
            self.take_answers(Instant::now() + ASK_EVERY)?;
        }
        self.session.disconnect()
    }
}

impl Shared {
    /// Sends a message at QoS 0.
    pub(super) fn publish(
        &self,
        session: &mut Session,
        topic: &str,
        payload: &[u8],
        is_retained: bool,
    ) -> Result<(), Error> {
        self.send(session, &Publish { topic, id: None, is_again: false, is_retained }, payload)
    }

    /// Sends an event at QoS 1.
    fn publish_event(
        &self,
        session: &mut Session,
        event: &Event,
        id: u16,
        is_again: bool,
    ) -> Result<(), Error> {
        let topic = self.topics.of_camera(&event.camera, "events");
        let publish = Publish { topic: &topic, id: Some(id), is_again, is_retained: false };
        self.send(session, &publish, event.json.as_bytes())
    }

    fn send(
        &self,
        session: &mut Session,
        publish: &Publish<'_>,
        payload: &[u8],
    ) -> Result<(), Error> {
        session.publish(publish, payload)?;
        self.status.lock().n_published += 1;
        Ok(())
    }
}
