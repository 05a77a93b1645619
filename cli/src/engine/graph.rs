//! The graph of a plan: what waits for what, on the way up and on the way down.

use std::collections::HashMap;
use std::sync::Arc;

use super::resource::{Resource, ResourceKey};

/// Number of a resource in its graph, in the order of the plan.
pub(super) type NodeId = usize;

/// Why a plan is no graph that can be run. Each of these is a mistake in the plan itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GraphError {
    /// Two resources claim one key.
    #[error("the plan has two resources with the key `{0}`")]
    Duplicate(ResourceKey),
    /// A resource waits for one that the plan does not have.
    #[error("`{key}` waits for `{unknown}`, which the plan does not have")]
    Unknown {
        /// Who waits.
        key: ResourceKey,
        /// For what.
        unknown: ResourceKey,
    },
    /// Resources wait for each other.
    #[error("resources wait for each other: {}", in_words(.0))]
    Cycle(Vec<ResourceKey>),
}

fn in_words(keys: &[ResourceKey]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(", ")
}

/// For each node, the nodes that must be settled before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order(Vec<Vec<NodeId>>);

impl Order {
    /// Nodes that `node` waits for.
    pub(super) fn before(&self, node: NodeId) -> &[NodeId] {
        &self.0[node]
    }

    /// Number of nodes.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// For each node, the nodes that wait for it.
    pub(super) fn after(&self) -> Vec<Vec<NodeId>> {
        let mut after = vec![Vec::new(); self.0.len()];
        for (node, before) in self.0.iter().enumerate() {
            for earlier in before {
                after[*earlier].push(node);
            }
        }
        after
    }

    /// Nodes that can never be reached because they wait for each other.
    fn unreachable(&self) -> Vec<NodeId> {
        let mut reached = vec![false; self.len()];
        for node in self.sorted() {
            reached[node] = true;
        }
        (0..self.len()).filter(|node| !reached[*node]).collect()
    }

    /// All nodes that can be reached, each after those that it waits for.
    pub(super) fn sorted(&self) -> Vec<NodeId> {
        let after = self.after();
        let mut waiting: Vec<usize> = self.0.iter().map(Vec::len).collect();
        let mut free: Vec<NodeId> = (0..self.len()).filter(|node| waiting[*node] == 0).collect();
        let mut sorted = Vec::with_capacity(self.len());
        while let Some(node) = free.pop() {
            sorted.push(node);
            for later in &after[node] {
                waiting[*later] -= 1;
                if waiting[*later] == 0 {
                    free.push(*later);
                }
            }
        }
        sorted
    }
}

/// Resources and the two orders that they are worked on in.
pub(crate) struct Graph {
    nodes: Vec<(ResourceKey, Arc<dyn Resource>)>,
    up: Order,
    down: Order,
}

impl Graph {
    /// The graph of `resources`, refused when it can't be run in either direction.
    pub(crate) fn new(resources: Vec<Arc<dyn Resource>>) -> Result<Self, GraphError> {
        let nodes: Vec<_> = resources
            .into_iter()
            .map(|node| (node.key(), node))
            .collect();
        let ids = index(&nodes)?;
        let up = order(&nodes, &ids, |node| Some(node.needs()))?;
        let needed_by = up.after();
        let mut down = order(&nodes, &ids, |node| node.removed_after())?;
        for (node, (_, resource)) in nodes.iter().enumerate() {
            if resource.removed_after().is_none() {
                down.0[node].clone_from(&needed_by[node]);
            }
        }
        let graph = Self { nodes, up, down };
        graph.refuse_cycles()?;
        Ok(graph)
    }

    fn refuse_cycles(&self) -> Result<(), GraphError> {
        for order in [&self.up, &self.down] {
            let cycle = order.unreachable();
            if !cycle.is_empty() {
                let keys = cycle.into_iter().map(|node| self.key(node).clone());
                return Err(GraphError::Cycle(keys.collect()));
            }
        }
        Ok(())
    }

    /// Number of resources.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Key of a node.
    pub(super) fn key(&self, node: NodeId) -> &ResourceKey {
        &self.nodes[node].0
    }

    /// The resource of a node.
    pub(super) fn resource(&self, node: NodeId) -> &Arc<dyn Resource> {
        &self.nodes[node].1
    }

    /// All resources, in the order of the plan.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&ResourceKey, &Arc<dyn Resource>)> {
        self.nodes.iter().map(|(key, resource)| (key, resource))
    }

    /// What must be usable before what.
    pub(super) const fn up(&self) -> &Order {
        &self.up
    }

    /// What must be gone before what.
    pub(super) const fn down(&self) -> &Order {
        &self.down
    }
}

type Nodes = [(ResourceKey, Arc<dyn Resource>)];

fn index(nodes: &Nodes) -> Result<HashMap<ResourceKey, NodeId>, GraphError> {
    let mut ids = HashMap::with_capacity(nodes.len());
    for (node, (key, _)) in nodes.iter().enumerate() {
        if ids.insert(key.clone(), node).is_some() {
            return Err(GraphError::Duplicate(key.clone()));
        }
    }
    Ok(ids)
}

fn order(
    nodes: &Nodes,
    ids: &HashMap<ResourceKey, NodeId>,
    waits_for: impl Fn(&dyn Resource) -> Option<Vec<ResourceKey>>,
) -> Result<Order, GraphError> {
    let find = |key: &ResourceKey, wanted: &ResourceKey| {
        ids.get(wanted).copied().ok_or_else(|| GraphError::Unknown {
            key: key.clone(),
            unknown: wanted.clone(),
        })
    };
    let mut before = Vec::with_capacity(nodes.len());
    for (key, resource) in nodes {
        let keys = waits_for(&**resource).unwrap_or_default();
        let found: Result<Vec<NodeId>, _> = keys.iter().map(|wanted| find(key, wanted)).collect();
        let mut found = found?;
        found.sort_unstable();
        found.dedup();
        before.push(found);
    }
    Ok(Order(before))
}

#[cfg(test)]
mod tests {
    use super::super::world::{Thing, World, thing};
    use super::*;

    fn graph(things: Vec<Thing>) -> Result<Graph, GraphError> {
        Graph::new(World::default().resources(things))
    }

    #[test]
    fn a_resource_goes_after_those_that_need_it() {
        let graph = graph(vec![
            thing("a"),
            thing("b").needs(&["a"]),
            thing("c").needs(&["a"]),
        ]);
        let graph = graph.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(graph.up().before(1), [0]);
        assert_eq!(graph.down().before(0), [1, 2]);
    }

    #[test]
    fn removal_may_have_an_order_of_its_own() {
        let things = vec![
            thing("role"),
            thing("function").needs(&["role"]),
            thing("interfaces").removed_after(&["function"]),
        ];
        let mut things = things;
        things[0].removed_after = Some(vec!["interfaces"]);
        let graph = graph(things).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(graph.down().before(0), [2]);
        assert_eq!(graph.down().before(2), [1]);
        assert_eq!(graph.down().before(1), [0usize; 0]);
    }

    #[test]
    fn mistakes_in_a_plan_are_refused() {
        let key = ResourceKey::new;
        let error = |things| graph(things).err();
        assert_eq!(
            error(vec![thing("a"), thing("a")]),
            Some(GraphError::Duplicate(key("a")))
        );
        let unknown = GraphError::Unknown {
            key: key("a"),
            unknown: key("z"),
        };
        assert_eq!(error(vec![thing("a").needs(&["z"])]), Some(unknown.clone()));
        assert_eq!(error(vec![thing("a").removed_after(&["z"])]), Some(unknown));
        let cycle = GraphError::Cycle(vec![key("a"), key("b")]);
        let things = vec![
            thing("a").needs(&["b"]),
            thing("b").needs(&["a"]),
            thing("c"),
        ];
        assert_eq!(error(things), Some(cycle.clone()));
        let things = vec![
            thing("a").removed_after(&["b"]),
            thing("b").removed_after(&["a"]),
        ];
        assert_eq!(error(things), Some(cycle));
    }
}
