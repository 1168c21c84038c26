//! Where flowd stands among the programs of others on the same hook.

use aya::programs::{LinkOrder, ProgramId, SchedClassifier, TcAttachType};

use super::Hook;
use crate::{
    KernelError,
    error::errno,
    net::netlink::{self, Filter},
};

/// Where flowd stands among other programs of the same hook. Names are those that the kernel knows programs of TCX
/// by, and those that tc(8) shows of filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Before others, as one that says "pass" or "drop" ends the chain, and flowd would not see the packet.
    #[default]
    First,
    /// Behind others.
    Last,
    /// Right before the program of this name; in a direction where it does not stand, before all.
    Before(String),
    /// Right behind it; in a direction where it does not stand, behind all.
    After(String),
}

/// The hook, and what the programs stand next to there: by direction, ingress first.
pub(crate) struct Neighbours {
    /// `None` where the order does not choose it.
    pub(crate) hook: Option<Hook>,
    /// Ids of programs of TCX.
    programs: [Option<u32>; 2],
    filters: Vec<Filter>,
}

/// The kernel keeps so much of a program's name.
const NAME: usize = 15;

/// Of the first kind, each behind the other where filters of another kind have that priority to themselves. The
/// last ones are behind those that the kernel gives by itself, from 49152 downwards.
const FIRST: [u16; 2] = [1, 0x0fd0];
const LAST: [u16; 2] = [0xfff0, 0xffd0];

impl Order {
    fn name(&self) -> Option<&str> {
        match self {
            Self::First | Self::Last => None,
            Self::Before(name) | Self::After(name) => Some(name),
        }
    }

    /// Looks for the program that the order names.
    ///
    /// # Errors
    /// It is on no hook that `hook` allows; the message says what is there.
    pub(crate) fn look(
        &self,
        interface: &str,
        ifindex: u32,
        hook: Option<Hook>,
    ) -> Result<Neighbours, KernelError> {
        let mut found = Neighbours { hook: None, programs: [None; 2], filters: Vec::new() };
        let Some(name) = self.name() else { return Ok(found) };
        let fail = |detail| KernelError::Attach { interface: interface.to_owned(), detail };
        let mut there = Vec::new();
        if hook != Some(Hook::Clsact) {
            let kept: String = name.chars().take(NAME).collect();
            for (at, place) in
                [TcAttachType::Ingress, TcAttachType::Egress].into_iter().zip(&mut found.programs)
            {
                let programs = tcx_programs(interface, at).map_err(&fail)?;
                let mut named = programs.iter().filter(|(_, name)| *name == kept).map(|(id, _)| *id);
                *place = if matches!(self, Self::Before(_)) { named.next() } else { named.next_back() };
                there.extend(programs.into_iter().map(|(_, name)| name));
            }
            if found.programs.iter().any(Option::is_some) {
                return Ok(Neighbours { hook: Some(Hook::Tcx), ..found });
            }
        }
        if hook != Some(Hook::Tcx) {
            found.filters =
                netlink::filters(ifindex).map_err(|error| KernelError::leftovers(interface, &error))?;
            if found.filters.iter().any(|filter| filter.program.as_deref() == Some(name)) {
                return Ok(Neighbours { hook: Some(Hook::Clsact), ..found });
            }
            there.extend(found.filters.into_iter().filter_map(|filter| filter.program));
        }
        there.sort();
        there.dedup();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        Err(fail(format!("no program \"{name}\" to stand next to, as `order` says; those there: {there}")))
    }

    /// The place among links of TCX.
    pub(crate) fn link(&self, neighbours: &Neighbours, at: TcAttachType) -> LinkOrder {
        let id = neighbours.programs.get(usize::from(at != TcAttachType::Ingress)).copied().flatten();
        // SAFETY: the kernel has just given this id; it refuses one that has gone meanwhile.
        let id = id.map(|id| unsafe { ProgramId::new(id) });
        match (self, id) {
            (Self::Before(_), Some(id)) => LinkOrder::before_program_id(id),
            (Self::After(_), Some(id)) => LinkOrder::after_program_id(id),
            (Self::First | Self::Before(_), _) => LinkOrder::first(),
            (Self::Last | Self::After(_), _) => LinkOrder::last(),
        }
    }

    /// Priorities to try for a filter, the best first; none where there is no room next to the named one.
    pub(crate) fn priorities(&self, neighbours: &Neighbours, at: TcAttachType) -> Vec<u16> {
        let there = || {
            let there = neighbours.filters.iter();
            there.filter(|filter| filter.is_ingress() == (at == TcAttachType::Ingress))
        };
        let name = self.name();
        let named = || {
            let named = there().filter(|filter| filter.program.as_deref() == name && name.is_some());
            named.map(Filter::priority)
        };
        let free = |priority: &u16| !there().any(|filter| filter.priority() == *priority);
        match (self, named().min(), named().max()) {
            (Self::Before(_), Some(first), _) => (1..first).rev().filter(free).take(2).collect(),
            (Self::After(_), _, Some(last)) => (last..=u16::MAX).skip(1).filter(free).take(2).collect(),
            (Self::First | Self::Before(_), ..) => FIRST.to_vec(),
            (Self::Last | Self::After(_), ..) => LAST.to_vec(),
        }
    }
}

/// Ids and names of the programs of TCX in their order; none on a kernel without TCX.
fn tcx_programs(interface: &str, at: TcAttachType) -> Result<Vec<(u32, String)>, String> {
    match SchedClassifier::query_tcx(interface, at) {
        Ok((_, programs)) => {
            let name =
                |program: &aya::programs::ProgramInfo| program.name_as_str().unwrap_or_default().to_owned();
            Ok(programs.iter().map(|program| (program.id(), name(program))).collect())
        }
        Err(error) => match errno(&error) {
            Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS) => Ok(Vec::new()),
            Some(libc::EPERM) => Err("names of TCX programs, as in `order`, take CAP_SYS_ADMIN: give it to \
                                      flowd, or use order = \"first\" or \"last\""
                .to_owned()),
            _ => Err(format!("its TCX programs cannot be asked for: {error}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priorities(order: &Order, there: &[(u16, &str)]) -> Vec<u16> {
        let filters = there.iter().map(|(priority, name)| Filter::for_tests(true, *priority, name)).collect();
        let neighbours = Neighbours { hook: Some(Hook::Clsact), programs: [None; 2], filters };
        assert!(!order.priorities(&neighbours, TcAttachType::Egress).is_empty(), "nothing stands there");
        order.priorities(&neighbours, TcAttachType::Ingress)
    }

    #[test]
    fn the_next_free_priority_is_taken() {
        let there = [(5, "x"), (6, "their"), (7, "y"), (8, "their"), (9, "z")];
        let before = Order::Before("their".to_owned());
        let after = Order::After("their".to_owned());
        assert_eq!(priorities(&before, &there), [4, 3]);
        assert_eq!(priorities(&after, &there), [10, 11]);
        assert!(priorities(&before, &[(1, "their")]).is_empty());
        assert!(priorities(&before, &[(1, "x"), (2, "their")]).is_empty());
        assert!(priorities(&after, &[(u16::MAX, "their")]).is_empty());
        assert_eq!(priorities(&Order::First, &there), FIRST);
        assert_eq!(priorities(&Order::Last, &there), LAST);
    }
}
