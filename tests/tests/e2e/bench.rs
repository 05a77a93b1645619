//! A cloud that breaks on purpose, and what must hold afterwards.

use std::collections::BTreeMap;

use place_config::StackConfig;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, When};
use place_tests::{Finished, LocalCloud, Operator, Proxy, inventory};

use crate::support::shared;

pub(crate) const TEARDOWN: [&str; 3] = ["teardown", "--yes", "--no-export"];

/// How many there are of each kind of thing: `ec2 route` 7, `lambda function` 7.
pub(crate) fn census(inventory: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in inventory {
        let kind = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// A cloud, a proxy before it, and an operator who works through the proxy.
pub(crate) struct Bench {
    pub(crate) operator: Operator,
    pub(crate) proxy: Proxy,
    pub(crate) before: Vec<String>,
    _cloud: LocalCloud,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// The same with another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut StackConfig)) -> Self {
        let cloud = LocalCloud::start().await;
        let proxy = Proxy::start(&cloud.endpoint());
        let operator = Operator::with(&cloud, |config| {
            config.endpoints.aws = Some(proxy.endpoint());
            change(config);
        });
        let before = inventory(&operator.sdk()).await;
        Self {
            operator,
            proxy,
            before,
            _cloud: cloud,
        }
    }

    /// Runs a command through the proxy, in whose sights it is.
    pub(crate) async fn run(&self, words: &[&str]) -> Finished {
        let running = self.operator.placectl().args(words).spawn();
        self.proxy.aim_at(running.id());
        running.finish().await
    }

    /// Runs a command that dies.
    pub(crate) async fn dies(&self, words: &[&str], when: When, fault: Fault) {
        self.proxy.clear();
        self.proxy.plan(when.clone(), 1, fault);
        let finished = self.run(words).await;
        assert_eq!(self.proxy.kills(), 1, "{when:?} never came: {finished}");
        assert_eq!(finished.code, None, "{finished}");
    }

    /// Runs a command again and again; each run dies at its `n`th change, until one has fewer
    /// changes to make. How many died.
    pub(crate) async fn crawls(&self, words: &[&str], n: usize, fault: &Fault) -> usize {
        for deaths in 0..100 {
            self.proxy.clear();
            self.proxy.plan(When::Change(n), 1, fault.clone());
            let finished = self.run(words).await;
            if self.proxy.kills() == 0 {
                let _ = finished.expect_code(0);
                return deaths;
            }
        }
        panic!("{words:?} never comes to its end");
    }

    /// An undisturbed `up` succeeds and leaves exactly what a clean one leaves.
    pub(crate) async fn is_whole_after_up(&self) {
        self.proxy.clear();
        let _ = self.run(&["up"]).await.expect_code(0);
        let found = census(&inventory(&self.operator.sdk()).await);
        let clean = census(&inventory(&shared().await.operator.sdk()).await);
        assert_eq!(found, clean);
    }

    pub(crate) async fn is_empty_after_teardown(&self) {
        self.proxy.clear();
        let _ = self.run(&TEARDOWN).await.expect_code(0);
        let after = inventory(&self.operator.sdk()).await;
        assert_eq!(difference(&self.before, &after), Vec::<String>::new());
    }
}
