import Synchronization

/// What a reader did with a value: where it carried it, or where it is kept instead.
package struct ReadUse: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// Carried into the record of the patient, visit, order, step or report.
        case mapped
        /// Kept beside it: in the journal, or as the order of segments.
        case kept
    }
    package var kind: Kind
    /// The place it was carried to, such as `Patient.birthDate`.
    package var target: String

    package static func mapped(_ target: String) -> ReadUse { ReadUse(kind: .mapped, target: target) }
    package static func kept(_ place: String) -> ReadUse { ReadUse(kind: .kept, target: place) }
}

/// Notes which values of one message are read and what for, and what is wrong with them.
///
/// The accessors of `Element` note themselves: a value counts as used when its text, number, time or `""` was taken
/// while a use was named. What was read without one (to decide which way to go) and what was never read is what the
/// message brought and nobody carried on.
package final class ReadTrace: Sendable {
    /// One complaint about a value.
    package struct Fault: Sendable, Hashable {
        package var condition: ErrorCondition
        package var location: ErrorLocation
        /// For the person at the sending side; no value of the message in it.
        package var text: String
        /// Whether the message cannot be carried out for it.
        package var isRefusal: Bool
    }

    fileprivate struct Read: Sendable {
        var start: Int32
        var end: Int32
        var use: UInt16
    }

    fileprivate struct State: Sendable {
        var uses: [ReadUse] = []
        var numbers: [ReadUse: UInt16] = [:]
        var current: UInt16?
        var reads: [Read] = []
        var faults: [Fault] = []
    }
    private let state = Mutex(State())

    package init() {}

    /// Everything read inside of `body` is for `use`; of nested uses the inner one counts.
    package func reading<Value>(_ use: ReadUse, _ body: () throws -> Value) rethrows -> Value {
        let outer = state.withLock { state in
            let outer = state.current
            state.current = state.number(of: use)
            return outer
        }
        defer { state.withLock { $0.current = outer } }
        return try body()
    }

    /// Adds a complaint; the same one about the same place counts once.
    package func report(
        _ condition: ErrorCondition, at location: ErrorLocation, _ text: String, isRefusal: Bool = false
    ) {
        let fault = Fault(condition: condition, location: location, text: text, isRefusal: isRefusal)
        state.withLock { state in
            guard !state.faults.contains(fault) else { return }
            if state.faults.count < HL7Limits.tracedFaultsMax {
                state.faults.append(fault)
            } else if isRefusal, !state.faults[0].isRefusal {
                // However many complaints came before: what the message is refused for is told.
                state.faults[0] = fault
            }
        }
    }

    /// The complaints in the order they were made; at most `HL7Limits.tracedFaultsMax`.
    package var faults: [Fault] { state.withLock { $0.faults } }

    func note(_ slice: Slice) {
        state.withLock { state in
            guard let use = state.current else { return }
            state.reads.append(Read(start: slice.start, end: slice.end, use: use))
        }
    }

    /// The reads in the order of the message, and the uses that they name by number.
    fileprivate func sorted() -> (reads: [Read], uses: [ReadUse]) {
        state.withLock { state in
            (state.reads.sorted { ($0.start, $0.end, $0.use) < ($1.start, $1.end, $1.use) }, state.uses)
        }
    }
}

extension ReadTrace.State {
    fileprivate mutating func number(of use: ReadUse) -> UInt16? {
        if let known = numbers[use] { return known }
        guard uses.count < Int(UInt16.max) else { return nil }
        let number = UInt16(uses.count)
        uses.append(use)
        numbers[use] = number
        return number
    }
}

extension Message {
    /// The same message, whose values note in `trace` that they are read.
    package func traced(by trace: ReadTrace) -> Message {
        Message(storage: MessageStorage(storage, trace: trace))
    }

    /// The place of a byte of the message, to the subcomponent where there are several; nil for one in no field.
    package func location(ofByte offset: Int) -> ErrorLocation? {
        guard let index = storage.segments.lastIndex(where: { Int($0.start) <= offset }) else { return nil }
        let segment = Segment(storage: storage, index: index)
        guard segment.fieldCount > 0 else { return segment.location() }
        for field in 1...segment.fieldCount {
            guard let range = storage.fieldRange(segment: index, field: field), offset <= range.upperBound else {
                continue
            }
            guard offset >= range.lowerBound else { return segment.location() }
            let place = LeafPlace(bytes: storage.bytes[range.lowerBound..<min(offset, range.upperBound)], delimiters)
            return segment.location(
                field: field, repetition: place.repetition == 1 ? nil : place.repetition,
                component: place.component == 1 && place.subcomponent == 1 ? nil : place.component,
                subcomponent: place.subcomponent == 1 ? nil : place.subcomponent)
        }
        return segment.location()
    }

    /// Every populated component (subcomponent, where there are several) with what it was read for, in order.
    ///
    /// MSH-1 and MSH-2 are not among them. `visit` gets the place and the uses, none for a value that nobody carried on.
    package func forEachValue(_ visit: (ErrorLocation, [ReadUse]) -> Void) {
        forEachValue { place, _, uses in visit(place, uses) }
    }

    /// The same with a number of the uses: from 0 in the order in which each different list of them comes first.
    package func forEachValue(_ visit: (ErrorLocation, _ number: Int, [ReadUse]) -> Void) {
        let (reads, uses) = storage.trace?.sorted() ?? ([], [])
        var numbers: [[UInt16]: Int] = [:]
        var lists: [[ReadUse]] = []
        var found: [UInt16] = []
        var next = 0
        var open: [ReadTrace.Read] = []
        var occurrences: [SegmentID: Int] = [:]
        for (index, entry) in storage.segments.enumerated() {
            let occurrence = (occurrences[entry.id] ?? 0) + 1
            occurrences[entry.id] = occurrence
            let first = entry.id.declaresDelimiters ? 3 : 1
            guard Int(entry.fieldCount) >= first else { continue }
            for field in first...Int(entry.fieldCount) {
                guard let range = storage.fieldRange(segment: index, field: field), !range.isEmpty else { continue }
                forEachLeaf(in: range) { leaf, place in
                    while next < reads.count, Int(reads[next].start) <= leaf.lowerBound {
                        open.append(reads[next])
                        next += 1
                    }
                    open.removeAll { Int($0.end) <= leaf.lowerBound }
                    found.removeAll(keepingCapacity: true)
                    for read in open where Int(read.end) >= leaf.upperBound && !found.contains(read.use) {
                        found.append(read.use)
                    }
                    let number = numbers[found] ?? lists.count
                    if number == lists.count {
                        numbers[found] = number
                        lists.append(found.map { uses[Int($0)] })
                    }
                    visit(
                        ErrorLocation(
                            segment: entry.id, occurrence: occurrence, field: field, repetition: place.repetition,
                            component: place.component, subcomponent: place.subcomponent), number, lists[number])
                }
            }
        }
    }

    private func forEachLeaf(in range: Range<Int>, _ visit: (Range<Int>, LeafPlace) -> Void) {
        var place = LeafPlace()
        var from = range.lowerBound
        for at in range.lowerBound...range.upperBound {
            let byte = at < range.upperBound ? storage.bytes[at] : nil
            guard byte == nil || place.isSeparator(byte, delimiters) else { continue }
            if at > from { visit(from..<at, place) }
            if let byte { place.pass(byte, delimiters) }
            from = at + 1
        }
    }
}

/// Where in a field a byte stands.
private struct LeafPlace {
    var repetition = 1
    var component = 1
    var subcomponent = 1

    init() {}

    /// The place behind these bytes of a field.
    init(bytes: ArraySlice<UInt8>, _ delimiters: Delimiters) {
        for byte in bytes { pass(byte, delimiters) }
    }

    func isSeparator(_ byte: UInt8?, _ delimiters: Delimiters) -> Bool {
        byte == delimiters.component || byte == delimiters.subcomponent || byte == delimiters.repetition
    }

    mutating func pass(_ byte: UInt8, _ delimiters: Delimiters) {
        if byte == delimiters.repetition {
            repetition += 1
            component = 1
            subcomponent = 1
        } else if byte == delimiters.component {
            component += 1
            subcomponent = 1
        } else if byte == delimiters.subcomponent {
            subcomponent += 1
        }
    }
}
