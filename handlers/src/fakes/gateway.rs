//! API Gateway: every client a model of what the wire protocol has in mind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use place_canvas::ConnectionId;
use place_canvas::client::ModelClient;
use tokio::time::{Instant, sleep};

use super::Faults;
use crate::gateway::{CALL_TIMEOUT, Frame, GatewayError};
use crate::ports::{Gateway, Lookup};

/// How a connection behaves that is not simply well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything after a while.
    Slow(Duration),
    /// Never answers.
    Hangs,
    /// Answers this, always.
    Fails(GatewayError),
    /// Answers this so many times, then takes everything.
    FailsTimes(GatewayError, u32),
    /// Takes so many updates, once there is a picture, that never arrive.
    Swallows(u32),
    /// Answers 410 until this moment, then takes everything.
    OpensAt(Instant),
}

#[derive(Default)]
pub(crate) struct Calls {
    /// Frames that arrived, by client, each with its moment.
    pub(crate) arrived: BTreeMap<ConnectionId, Vec<(Instant, String)>>,
    /// Moments at which posts began.
    pub(crate) posts: Vec<Instant>,
    pub(crate) closed: Vec<ConnectionId>,
    pub(crate) lookups: Vec<ConnectionId>,
    in_flight: usize,
    pub(crate) most_in_flight: usize,
}

/// API Gateway.
pub(crate) struct FakeGateway {
    pub(crate) faults: Faults,
    latency: Duration,
    moods: Mutex<HashMap<ConnectionId, Mood>>,
    calls: Mutex<Calls>,
}

impl FakeGateway {
    /// One that answers after `latency`.
    pub(crate) fn new(latency: Duration) -> Self {
        let (moods, calls) = (Mutex::default(), Mutex::default());
        Self {
            faults: Faults::default(),
            latency,
            moods,
            calls,
        }
    }

    pub(crate) fn set(&self, client: &ConnectionId, mood: Mood) {
        self.moods.lock().unwrap().insert(client.clone(), mood);
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap()
    }

    /// The texts that arrived at a client.
    pub(crate) fn texts(&self, client: &ConnectionId) -> Vec<String> {
        let calls = self.calls();
        let arrived = calls.arrived.get(client).map_or(&[][..], Vec::as_slice);
        arrived.iter().map(|(_, text)| text.clone()).collect()
    }

    /// The client that comes of what arrived.
    pub(crate) fn model(&self, client: &ConnectionId) -> ModelClient {
        let mut model = ModelClient::new();
        for text in self.texts(client) {
            model.on_frame(&text).unwrap();
        }
        model
    }

    /// From now on everything that is taken arrives.
    pub(crate) fn swallows_no_more(&self) {
        let mut moods = self.moods.lock().unwrap();
        moods.retain(|_, mood| !matches!(mood, Mood::Swallows(_)));
    }

    fn swallows(&self, client: &ConnectionId) -> bool {
        let has_picture = self.model(client).picture().is_some();
        match self.moods.lock().unwrap().get_mut(client) {
            Some(Mood::Swallows(times)) if *times > 0 && has_picture => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    fn answer(&self, client: &ConnectionId) -> Result<(), GatewayError> {
        let mut moods = self.moods.lock().unwrap();
        match moods.get_mut(client) {
            Some(Mood::Fails(error)) => Err(error.clone()),
            Some(Mood::FailsTimes(error, times)) if *times > 0 => {
                *times -= 1;
                Err(error.clone())
            }
            Some(Mood::OpensAt(open)) if *open > Instant::now() => Err(GatewayError::Gone),
            _ => Ok(()),
        }
    }
}

impl Gateway for FakeGateway {
    async fn post(&self, to: &ConnectionId, frame: &Frame) -> Result<(), GatewayError> {
        {
            let mut calls = self.calls();
            calls.posts.push(Instant::now());
            calls.in_flight += 1;
            calls.most_in_flight = calls.most_in_flight.max(calls.in_flight);
        }
        self.faults
            .step()
            .await
            .map_err(|_| GatewayError::Status(500))?;
        let mood = self.moods.lock().unwrap().get(to).cloned();
        let hangs = mood == Some(Mood::Hangs);
        sleep(match mood {
            Some(Mood::Slow(delay)) => delay,
            Some(Mood::Hangs) => CALL_TIMEOUT,
            _ => self.latency,
        })
        .await;
        self.calls().in_flight -= 1;
        if hangs {
            return Err(GatewayError::Unreachable("timed out".to_owned()));
        }
        self.answer(to)?;
        if self.swallows(to) {
            return Ok(());
        }
        let text = String::from_utf8(frame.body().to_vec()).unwrap();
        let arrival = (Instant::now(), text);
        self.calls()
            .arrived
            .entry(to.clone())
            .or_default()
            .push(arrival);
        self.faults
            .step()
            .await
            .map_err(|_| GatewayError::Status(500))
    }

    async fn close(&self, of: &ConnectionId) -> Result<(), GatewayError> {
        self.calls().closed.push(of.clone());
        Ok(())
    }
}

impl Lookup for FakeGateway {
    async fn is_connected(&self, id: &ConnectionId) -> Result<bool, GatewayError> {
        self.calls().lookups.push(id.clone());
        let mood = self.moods.lock().unwrap().get(id).cloned();
        if mood == Some(Mood::Hangs) {
            sleep(CALL_TIMEOUT).await;
            return Err(GatewayError::Unreachable("timed out".to_owned()));
        }
        sleep(self.latency).await;
        match mood {
            Some(Mood::Fails(GatewayError::Gone)) => Ok(false),
            Some(Mood::OpensAt(open)) => Ok(open <= Instant::now()),
            Some(Mood::Fails(error)) => Err(error),
            _ => Ok(true),
        }
    }
}
