//! What a subnet is associated with, what it was associated with before, and the way back.

use aws_sdk_ec2::types::{
    RouteTable as Table, RouteTableAssociation, RouteTableAssociationState,
    RouteTableAssociationStateCode,
};

use super::super::Stack;
use super::super::lifecycle::State;
use super::look;
use crate::aws::tags::Tags;
use crate::aws::{Answer, AwsError, AwsResult};

/// What a subnet is explicitly associated with.
pub(super) struct Current {
    /// The association.
    pub(super) association: RouteTableAssociation,
    /// The table.
    pub(super) table: Table,
}

impl Current {
    /// One that was asked for and not looked at yet.
    pub(super) fn on_its_way() -> Self {
        let code = RouteTableAssociationStateCode::Associating;
        let state = RouteTableAssociationState::builder().state(code).build();
        let association = RouteTableAssociation::builder();
        Self {
            association: association.association_state(state).build(),
            table: Table::builder().build(),
        }
    }

    /// The association's id.
    pub(super) fn id(&self) -> &str {
        self.association
            .route_table_association_id()
            .unwrap_or_default()
    }

    /// The subnet's id.
    pub(super) fn subnet(&self) -> &str {
        self.association.subnet_id().unwrap_or_default()
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

/// What `subnet` is explicitly associated with, among the `tables` of its VPC: one of them, as EC2
/// has it. What stands in for EC2 may have taken a repeated call for another association.
pub(super) fn current(tables: &[Table], subnet: &str) -> Vec<Current> {
    let all = tables.iter().flat_map(explicit);
    all.filter(|current| current.subnet() == subnet).collect()
}

/// The subnets that are explicitly associated with a table.
pub(super) fn explicit(table: &Table) -> impl Iterator<Item = Current> {
    let of_subnet = |of: &&RouteTableAssociation| of.subnet_id().is_some_and(|id| !id.is_empty());
    let associations = table.associations().iter().filter(of_subnet);
    associations.map(|association| Current {
        association: association.clone(),
        table: table.clone(),
    })
}

/// Gives the subnet back to the table that it had, or to the VPC's main one.
pub(super) async fn give_back(stack: &Stack, current: &Current) -> Result<(), AwsError> {
    let before = current.table.tags().value(&restore_tag(current.subnet()));
    if let (Some(before), Some(vpc)) = (before, current.table.vpc_id()) {
        let tables = look::route_tables(stack, vpc).await?;
        if tables
            .iter()
            .any(|table| table.route_table_id() == Some(before))
        {
            return replace(stack, current.id(), before)
                .await
                .absent_as_none()
                .map(drop);
        }
    }
    disassociate(stack, current).await
}

/// Points an association at another table.
pub(super) async fn replace(stack: &Stack, association: &str, table: &str) -> Result<(), AwsError> {
    let call = stack.aws.ec2.replace_route_table_association();
    let call = call.association_id(association).route_table_id(table);
    call.send()
        .await
        .during("ec2:ReplaceRouteTableAssociation")
        .map(drop)
}

/// Takes an association away.
pub(super) async fn disassociate(stack: &Stack, current: &Current) -> Result<(), AwsError> {
    let call = stack.aws.ec2.disassociate_route_table();
    call.association_id(current.id())
        .send()
        .await
        .during("ec2:DisassociateRouteTable")
        .absent_as_none()
        .map(drop)
}

/// How an association is. One that EC2 gave up stays as it is until it is taken away.
pub(super) fn state(current: &Current) -> State {
    let state = current.association.association_state();
    match state.and_then(|state| state.state()) {
        None | Some(RouteTableAssociationStateCode::Associated) => State::Usable,
        Some(RouteTableAssociationStateCode::Failed) => State::Failed(why_failed(current)),
        Some(other) => State::Changing(other.as_str().to_owned()),
    }
}

fn why_failed(current: &Current) -> String {
    let state = current.association.association_state();
    let message = state.and_then(|state| state.status_message());
    message.map_or_else(
        || "EC2 failed to associate the route table".to_owned(),
        |message| format!("EC2 failed to associate the route table: {message}"),
    )
}

#[cfg(test)]
mod tests {
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
        let found = current(&tables(), "subnet-1");
        assert_eq!((found.len(), found[0].table_id()), (1, "rtb-2"));
        assert_eq!(state(&found[0]), State::Usable);
        assert!(current(&tables(), "subnet-2").is_empty());
    }

    #[test]
    fn an_association_on_its_way_is_changing() {
        let code = RouteTableAssociationStateCode::Associating;
        let found = current(&[table("rtb-1", Some("subnet-1"), code)], "subnet-1");
        assert!(matches!(state(&found[0]), State::Changing(_)));
    }

    #[test]
    fn a_restore_tag_fits_aws() {
        assert!(restore_tag("subnet-0123456789abcdef0").len() <= 128);
    }
}
