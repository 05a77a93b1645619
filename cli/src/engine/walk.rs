//! Visits the nodes of an order, each as soon as all that it waits for are settled.

use futures::StreamExt;
use futures::future::{FutureExt, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use super::graph::{NodeId, Order};

/// What a visit comes to.
pub(super) enum Visit<T> {
    /// Nothing is to be done.
    Settled(T),
    /// Work, whose result settles the node.
    Work(LocalBoxFuture<'static, T>),
}

impl<T> Visit<T> {
    /// Work to be done.
    pub(super) fn work(work: impl Future<Output = T> + 'static) -> Self {
        Self::Work(work.boxed_local())
    }
}

/// Walks `order` with everything independent at once and returns what each node came to.
///
/// `visit` sees the results so far; those of all nodes that its node waits for are there. Once
/// `interrupted` says true no node is visited any more, work that has begun is waited for, and
/// nodes never visited have no result.
pub(super) async fn walk<T: 'static>(
    order: &Order,
    interrupted: &watch::Receiver<bool>,
    mut visit: impl FnMut(NodeId, &[Option<T>]) -> Visit<T>,
) -> Vec<Option<T>> {
    let after = order.after();
    let mut results: Vec<Option<T>> = (0..order.len()).map(|_| None).collect();
    let mut waiting: Vec<usize> = (0..order.len())
        .map(|node| order.before(node).len())
        .collect();
    let mut free: Vec<NodeId> = (0..order.len())
        .filter(|node| waiting[*node] == 0)
        .collect();
    let mut working = FuturesUnordered::new();
    loop {
        let mut settled = Vec::new();
        for node in free.drain(..).take_while(|_| !*interrupted.borrow()) {
            match visit(node, &results) {
                Visit::Settled(result) => settled.push((node, result)),
                Visit::Work(work) => working.push(async move { (node, work.await) }),
            }
        }
        if settled.is_empty() {
            match working.next().await {
                Some(done) => settled.push(done),
                None => return results,
            }
        }
        for (node, result) in settled {
            results[node] = Some(result);
            for later in &after[node] {
                waiting[*later] -= 1;
                if waiting[*later] == 0 {
                    free.push(*later);
                }
            }
        }
    }
}
