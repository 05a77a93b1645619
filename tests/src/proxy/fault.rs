//! What can go wrong with a call, and with which.

use std::time::Duration;

use super::Call;
use super::operation::Operation;
use super::stand_in::StandIn;

/// What befalls a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller dies before the call reaches AWS.
    KillBefore,
    /// AWS does what was asked; the caller dies before the answer comes.
    KillAfter,
    /// AWS does what was asked; the connection breaks before the answer comes.
    DropAnswer,
    /// AWS does what was asked; its front door answers with this HTTP status all the same.
    ActedThenStatus(u16),
    /// The connection breaks before the call reaches AWS.
    Reset,
    /// The call reaches AWS late.
    Delay(Duration),
    /// The same, and when the caller has given up by then it reaches AWS all the same.
    Late(Duration),
    /// The call reaches nobody and is never answered.
    Hang,
    /// AWS's front door answers with this HTTP status and a page that no SDK understands.
    Status(u16),
    /// The call reaches nobody and is answered with this: what an emulator does not know.
    Answer(&'static str),
    /// The call reaches AWS with this at the end of its form: what an emulator misunderstands.
    Add(&'static str),
    /// The first of the two becomes the second in the answer: what an emulator answers otherwise.
    Amend(&'static str, &'static str),
    /// The call reaches nobody and is answered from what was asked before, where that can be.
    StandIn(StandIn),
    /// The service answers with an error of its own, in its own protocol.
    Error {
        /// HTTP status.
        status: u16,
        /// The service's code, `DependencyViolation`.
        code: &'static str,
        /// The service's message.
        message: &'static str,
    },
}

impl Fault {
    /// A service's error.
    pub const fn error(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::Error {
            status,
            code,
            message,
        }
    }
}

/// Which calls a fault befalls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The call of this number, counted from 1 over everything that comes by, and those after it
    /// until the fault has struck often enough.
    Call(usize),
    /// The same, counting only the calls that may change something.
    Change(usize),
    /// Calls of this operation, `CreateNatGateway`.
    Operation(&'static str),
    /// The call of this number, counted from 1 over the calls of one operation of one service,
    /// and those after it until the fault has struck often enough.
    Nth(Operation, usize),
    /// The first call of each operation.
    FirstOfEach,
    /// Calls of the second operation that come after one of the first.
    After(&'static str, &'static str),
    /// Calls of this service, `ec2`, whatever they do.
    Service(&'static str),
    /// Every call.
    Always,
}

/// How many calls came so far, the one in question included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) calls: usize,
    pub(super) changes: usize,
    /// Of the operation in question.
    pub(super) alike: usize,
}

/// A fault with its remaining strikes.
#[derive(Debug)]
pub(super) struct Rule {
    when: When,
    left: usize,
    fault: Fault,
}

impl Rule {
    pub(super) const fn new(when: When, times: usize, fault: Fault) -> Self {
        Self {
            when,
            left: times,
            fault,
        }
    }

    /// The fault, if it befalls the call; one strike fewer is then left.
    pub(super) fn strikes(
        &mut self,
        count: Count,
        operation: &Operation,
        earlier: &[Call],
    ) -> Option<Fault> {
        let came = |name: &str| earlier.iter().any(|call| call.operation.name() == name);
        let named = match &self.when {
            When::Call(first) => count.calls >= *first,
            When::Change(first) => !operation.reads_only() && count.changes >= *first,
            When::Operation(name) => operation.name() == *name,
            When::Nth(one, first) => operation == one && count.alike >= *first,
            When::FirstOfEach => count.alike == 1,
            When::After(first, name) => operation.name() == *name && came(first),
            When::Service(service) => operation.service() == *service,
            When::Always => true,
        };
        if !named || self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(self.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(calls: usize, changes: usize) -> Count {
        Count {
            calls,
            changes,
            alike: 0,
        }
    }

    #[test]
    fn a_rule_by_number_of_one_operation_leaves_other_services_alone() {
        let route = Operation::new("ec2", "CreateRoute");
        let other = Operation::new("apigateway", "CreateRoute");
        let mut rule = Rule::new(When::Nth(route.clone(), 2), 1, Fault::Hang);
        let alike = |alike| Count {
            alike,
            ..count(9, 9)
        };
        assert_eq!(rule.strikes(alike(1), &route, &[]), None);
        assert_eq!(rule.strikes(alike(2), &other, &[]), None);
        assert_eq!(rule.strikes(alike(2), &route, &[]), Some(Fault::Hang));
        assert_eq!(rule.strikes(alike(3), &route, &[]), None);
    }

    #[test]
    fn a_rule_by_name_strikes_as_often_as_planned() {
        let create = Operation::new("ec2", "CreateRouteTable");
        let mut rule = Rule::new(When::Operation("CreateRouteTable"), 1, Fault::Reset);
        let other = Operation::new("ec2", "CreateRoute");
        assert_eq!(rule.strikes(count(1, 1), &other, &[]), None);
        assert_eq!(rule.strikes(count(2, 2), &create, &[]), Some(Fault::Reset));
        assert_eq!(rule.strikes(count(3, 3), &create, &[]), None);
    }

    #[test]
    fn a_rule_after_another_operation_waits_for_it() {
        let (remove, look) = (
            Operation::new("ec2", "DeleteVpc"),
            Operation::new("ec2", "DescribeVpcs"),
        );
        let rule = When::After("DeleteVpc", "DescribeVpcs");
        let mut rule = Rule::new(rule, 1, Fault::Answer("gone"));
        assert_eq!(rule.strikes(count(1, 0), &look, &[]), None);
        let removed = [Call {
            operation: remove.clone(),
            at: Duration::ZERO,
            fault: None,
        }];
        assert_eq!(rule.strikes(count(2, 1), &remove, &removed), None);
        let struck = rule.strikes(count(2, 1), &look, &removed);
        assert_eq!(struck, Some(Fault::Answer("gone")));
    }

    #[test]
    fn a_rule_by_number_strikes_from_that_number_on() {
        let create = Operation::new("ec2", "CreateRouteTable");
        let look = Operation::new("ec2", "DescribeVpcs");
        let mut call = Rule::new(When::Call(3), 1, Fault::Hang);
        assert_eq!(call.strikes(count(2, 0), &look, &[]), None);
        assert_eq!(call.strikes(count(3, 0), &look, &[]), Some(Fault::Hang));
        let mut change = Rule::new(When::Change(2), 2, Fault::Hang);
        assert_eq!(change.strikes(count(1, 1), &create, &[]), None);
        assert_eq!(change.strikes(count(3, 2), &create, &[]), Some(Fault::Hang));
        assert_eq!(change.strikes(count(4, 2), &look, &[]), None);
    }
}
