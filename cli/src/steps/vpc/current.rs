//! What a subnet is associated with, and what it was associated with before.

use aws_sdk_ec2::types::{
    RouteTable as Table, RouteTableAssociation, RouteTableAssociationStateCode,
};

use crate::engine::Observed;

/// What a subnet is explicitly associated with.
pub(super) struct Current {
    /// The association.
    pub(super) association: RouteTableAssociation,
    /// The table.
    pub(super) table: Table,
}

impl Current {
    /// The association's id.
    pub(super) fn id(&self) -> &str {
        self.association
            .route_table_association_id()
            .unwrap_or_default()
    }

    /// The table's id.
    pub(super) fn table_id(&self) -> &str {
        self.table.route_table_id().unwrap_or_default()
    }
}

/// Tag that says which table `subnet` was associated with before.
pub(super) fn restore_tag(subnet: &str) -> String {
    format!("place:restore:{subnet}")
}

/// What `subnet` is explicitly associated with, among the `tables` of its VPC.
pub(super) fn current(tables: Vec<Table>, subnet: &str) -> Option<Current> {
    tables.into_iter().find_map(|table| {
        let of_subnet = |of: &&RouteTableAssociation| of.subnet_id() == Some(subnet);
        let association = table.associations().iter().find(of_subnet)?.clone();
        Some(Current { association, table })
    })
}

/// What is to be said about an association with a table of ours.
pub(super) fn state(current: &Current) -> Observed {
    let id = current.id().to_owned();
    let state = current
        .association
        .association_state()
        .and_then(|state| state.state());
    match state {
        None | Some(RouteTableAssociationStateCode::Associated) => Observed::Ready { id },
        Some(RouteTableAssociationStateCode::Failed) => Observed::Broken {
            id,
            reason: "EC2 failed to associate it".to_owned(),
        },
        Some(other) => Observed::Changing {
            id,
            state: other.as_str().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::RouteTableAssociationState;

    use super::*;

    fn table(id: &str, subnet: Option<&str>, code: RouteTableAssociationStateCode) -> Table {
        let association = RouteTableAssociation::builder()
            .route_table_association_id(format!("rtbassoc-{id}"))
            .main(subnet.is_none())
            .set_subnet_id(subnet.map(str::to_owned))
            .association_state(RouteTableAssociationState::builder().state(code).build())
            .build();
        Table::builder()
            .route_table_id(id)
            .associations(association)
            .build()
    }

    #[test]
    fn the_main_table_is_no_explicit_association() {
        let associated = RouteTableAssociationStateCode::Associated;
        let tables = || {
            vec![
                table("rtb-main", None, associated.clone()),
                table("rtb-2", Some("subnet-1"), associated.clone()),
            ]
        };
        let found = current(tables(), "subnet-1").unwrap();
        assert_eq!(found.table_id(), "rtb-2");
        assert!(matches!(state(&found), Observed::Ready { .. }));
        assert!(current(tables(), "subnet-2").is_none());
    }

    #[test]
    fn an_association_on_its_way_is_changing() {
        let code = RouteTableAssociationStateCode::Associating;
        let found = current(vec![table("rtb-1", Some("subnet-1"), code)], "subnet-1").unwrap();
        assert!(matches!(state(&found), Observed::Changing { .. }));
    }

    #[test]
    fn a_restore_tag_fits_aws() {
        assert!(restore_tag("subnet-0123456789abcdef0").len() <= 128);
    }
}
