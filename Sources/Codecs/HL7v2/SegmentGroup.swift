/// One group of a message: its own segments and the groups inside of it, both in the order they were sent.
package struct SegmentGroup: Sendable {
    /// The name in the abstract message definition, such as `ORDER_OBSERVATION`.
    package let name: String
    package fileprivate(set) var segments: [Segment] = []
    package fileprivate(set) var groups: [SegmentGroup] = []

    /// The first segment of that name that is the group's own.
    package subscript(_ id: SegmentID) -> Segment? { segments.first { $0.id == id } }
    /// The group's own segments of that name.
    package func all(_ id: SegmentID) -> [Segment] { segments.filter { $0.id == id } }
    /// The groups of that name that are directly inside.
    package func groups(_ name: String) -> [SegmentGroup] { groups.filter { $0.name == name } }
    /// The first group of that name that is directly inside.
    package func group(_ name: String) -> SegmentGroup? { groups.first { $0.name == name } }
    /// The segments of the group and of all inside of it, in the order they were sent.
    package var everySegment: [Segment] {
        (segments + groups.flatMap(\.everySegment)).sorted { $0.position < $1.position }
    }
}

/// A message read by its abstract message definition.
package struct StructuredMessage: Sendable {
    package let root: SegmentGroup
    /// Segments that the definition has no place for where they stand, in order. Segments of the site (`Z…`) are never
    /// among them: they belong to the group they stand in.
    package let strays: [Segment]
}

extension MessageStructure {
    /// Reads the groups of a message.
    ///
    /// The innermost open group that has a place for a segment takes it. Order inside of a group is free, as in the
    /// field, but for what a repeating group begins with: a second ORC or OBR begins the next ORDER.
    package func read(_ message: Message) -> StructuredMessage {
        var reader = GroupReader(structure: self)
        for segment in message.segments { reader.take(segment) }
        return StructuredMessage(root: reader.finished(0), strays: reader.strays)
    }
}

private struct GroupReader {
    private struct Node {
        let definition: GroupDefinition
        var segments: [Segment] = []
        var children: [Int] = []
        /// How often each member was taken.
        var taken: [Int]
        /// The furthest opening member that was taken.
        var reached = -1

        init(_ definition: GroupDefinition) {
            self.definition = definition
            taken = [Int](repeating: 0, count: definition.members.count)
        }
    }

    let structure: MessageStructure
    private(set) var strays: [Segment] = []
    private var nodes: [Node]
    /// The open groups, outermost first.
    private var open = [0]

    init(structure: MessageStructure) {
        self.structure = structure
        nodes = [Node(structure.root)]
    }

    mutating func take(_ segment: Segment) {
        if segment.id.isLocal {
            nodes[open[open.count - 1]].segments.append(segment)
            return
        }
        for depth in stride(from: open.count - 1, through: 0, by: -1) {
            let node = nodes[open[depth]]
            if let path = place(segment, in: node) {
                open.removeSubrange((depth + 1)...)
                put(segment, along: path)
                return
            }
        }
        if !takeLate(segment) { strays.append(segment) }
    }

    /// Puts a segment that comes after its time (PV1 behind OBR) into the group that was closed too early. Only into
    /// groups that do not repeat, for of those there is no doubt which one is meant.
    private mutating func takeLate(_ segment: Segment) -> Bool {
        for node in open.reversed() {
            guard let (group, path) = late(segment, below: node) else { continue }
            let current = open
            open = [group]
            put(segment, along: path)
            open = current
            return true
        }
        return false
    }

    private func late(_ segment: Segment, below node: Int) -> (node: Int, path: [Int])? {
        for child in nodes[node].children where !nodes[child].definition.isRepeating && !open.contains(child) {
            if let path = place(segment, in: nodes[child]) { return (child, path) }
            if let deeper = late(segment, below: child) { return deeper }
        }
        return nil
    }

    /// The path of members by which an open group takes a segment; nil when it has no place for it.
    private func place(_ segment: Segment, in node: Node) -> [Int]? {
        let definition = node.definition
        for (index, member) in definition.members.enumerated() {
            guard node.taken[index] == 0 || member.isRepeating else { continue }
            // What a repeating group begins with can not come after what stands behind it: that is the next repetition.
            if index < definition.openingCount, index < node.reached, definition.isRepeating { continue }
            // A member that has to come and has not yet takes its segment without asking.
            let isDue = member.isRequired && node.taken[index] == 0 && node.reached >= 0
            switch member {
            case .segment(let id, _, _):
                if id == segment.id, isDue || structure.admits(definition.name, segment) { return [index] }
            case .group(let group):
                let path = group.opening(with: segment) { isDue || structure.admits($0, $1) }
                if !path.isEmpty { return [index] + path }
            }
        }
        return nil
    }

    private mutating func put(_ segment: Segment, along path: [Int]) {
        for index in path {
            let current = open[open.count - 1]
            nodes[current].taken[index] += 1
            if index < nodes[current].definition.openingCount {
                nodes[current].reached = max(nodes[current].reached, index)
            }
            switch nodes[current].definition.members[index] {
            case .segment: nodes[current].segments.append(segment)
            case .group(let group):
                nodes.append(Node(group))
                nodes[current].children.append(nodes.count - 1)
                open.append(nodes.count - 1)
            }
        }
    }

    /// The tree below a node. Groups are a handful deep, as the definition is.
    func finished(_ node: Int) -> SegmentGroup {
        var group = SegmentGroup(name: nodes[node].definition.name)
        group.segments = nodes[node].segments
        group.groups = nodes[node].children.map { finished($0) }
        return group
    }
}

extension SegmentID {
    /// True for a segment of the site's own, `Z…`.
    package var isLocal: Bool { code >> 16 == 0x5A }
}
