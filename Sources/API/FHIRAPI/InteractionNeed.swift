import Access
import FHIRModel
import FHIRResources

/// What a caller has to be permitted before an interaction begins. SMART 2.2 scopes-and-launch-context.html.
///
/// The store decides again, resource by resource, and so does a change about what it finds.
enum InteractionNeed: Sendable, Hashable {
    /// It is for everybody.
    case nothing
    /// What is asked for in it decides: the entries of a Bundle, the types of an export.
    case decidedWithin
    /// Each of these on the type of the path.
    case permissions(Permissions)
    /// Each of these on one type at least.
    case onAnyType(Permissions)

    /// Throws ``InteractionError`` `.forbidden` for a caller who lacks it, and what ``FHIRCall/type()`` throws. FHIR R4
    /// security.html: 403.
    func check(_ call: FHIRCall) throws {
        switch self {
        case .nothing, .decidedWithin: return
        case .permissions(let wanted):
            let type = try call.type()
            guard Self.allows(wanted, on: type, call.access) else {
                throw InteractionError(
                    .forbidden, "no scope for this interaction on \(type): it needs \(wanted.letters)")
            }
        case .onAnyType(let wanted):
            guard FHIRDefinitions.r4.resourceTypes.contains(where: { Self.allows(wanted, on: $0, call.access) }) else {
                throw InteractionError(.forbidden, "no scope for this interaction: it needs \(wanted.letters)")
            }
        }
    }

    /// Different scopes may grant the letters.
    private static func allows(_ wanted: Permissions, on type: String, _ access: AccessContext) -> Bool {
        wanted.each.allSatisfy { access.allows($0, on: type) }
    }
}
