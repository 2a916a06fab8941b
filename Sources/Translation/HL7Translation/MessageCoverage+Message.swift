import HL7v2
import Workflow

extension MessageCoverage {
    /// What became of the values of a message that was read under a trace. Places are those of `FieldPath`, without
    /// the occurrence of the segment; the repetition is told for what nobody took.
    init(of message: Message) {
        self.init()
        var targets: [[String]] = []
        var dispositions: [Disposition] = []
        message.forEachValue { location, number, uses in
            if number == targets.count {
                // What was carried as well as kept counts as carried.
                let mapped = uses.filter { $0.kind == .mapped }
                dispositions.append(uses.isEmpty ? .unmapped : mapped.isEmpty ? .kept : .mapped)
                targets.append((mapped.isEmpty ? uses : mapped).map(\.target).sorted())
            }
            var path = FieldPath(
                segment: location.segment, field: location.field ?? 1, component: location.component,
                subcomponent: location.subcomponent == 1 ? nil : location.subcomponent)
            if uses.isEmpty { path.repetition = location.repetition ?? 1 }
            add(path.description, dispositions[number], targets: targets[number])
        }
    }
}
