import Access
import FHIRModel
import FHIRSearch
import Workflow

/// Several changes that are made together or not at all: the writing half of a transaction. FHIR R4 http.html#trules.
///
/// Deletions come first; then it is found which resources the others mean, so that links between them can be replaced;
/// then these are written, what others refer to before what refers to it, in whichever order they were sent.
package struct ChangeSet: Sendable {
    package struct Entry: Sendable {
        /// Of the entry in its Bundle, from 0.
        package let index: Int
        /// By what other entries refer to this one.
        package let fullURL: String?
        package let change: ResourceChange

        package init(index: Int, fullURL: String?, change: ResourceChange) {
            self.index = index
            self.fullURL = fullURL
            self.change = change
        }
    }

    /// Why nothing was changed: what is wrong with one entry.
    package struct Refusal: Error {
        package let index: Int
        package let cause: any Error

        package init(index: Int, cause: any Error) {
            self.index = index
            self.cause = cause
        }
    }

    let entries: [Entry]
    /// Reads the condition of a conditional reference: a type and its query.
    let parse: @Sendable (_ type: String, _ query: String) throws -> SearchQuery

    package init(
        _ entries: [Entry], parse: @escaping @Sendable (_ type: String, _ query: String) throws -> SearchQuery
    ) {
        self.entries = entries
        self.parse = parse
    }

    /// Makes the changes, then gives each result with the index of its entry, one after the other: they are not held
    /// together. Throws ``Refusal``, also for what `take` throws.
    package func apply(
        in unit: any ResourceUnitOfWork, _ take: (_ index: Int, _ result: ChangeResult) throws -> Void
    ) throws {
        var made: [(index: Int, change: MadeChange)] = []
        var places = ChangePlaces()
        let deletions = entries.filter { if case .delete = $0.change.action { true } else { false } }
        for entry in deletions {
            try naming(entry.index) {
                let resolved = try entry.change.resolve(in: unit)
                try places.take(resolved, by: entry)
                made.append((entry.index, try resolved.make(in: unit)))
            }
        }
        var writes: [(entry: Entry, change: ResolvedChange)] = []
        for entry in entries.sorted(by: { ($0.verb, $0.index) < ($1.verb, $1.index) }) where entry.verb > 0 {
            try naming(entry.index) {
                writes.append((entry, try places.resolve(entry, in: unit)))
            }
        }
        writes.sort {
            (FedTypes.place($0.change.change.type), $0.entry.verb, $0.entry.index)
                < (FedTypes.place($1.change.change.type), $1.entry.verb, $1.entry.index)
        }
        var references = ConditionalReferences(parse: parse)
        var waiting: [(entry: Entry, change: ResolvedChange)] = []
        for (entry, resolved) in writes {
            try naming(entry.index) {
                let linked = try places.linked(resolved, of: entry, references: &references)
                if references.wait(for: entry.index) {
                    waiting.append((entry, linked))
                } else {
                    made.append((entry.index, try linked.make(in: unit)))
                }
            }
        }
        try make(waiting, &references, &made, in: unit)
        try unit.settle()
        try references.check(in: unit)
        for (index, change) in made { try naming(index) { try take(index, try change.result(in: unit)) } }
    }

    /// How often what is still waiting is looked for: every search of it is made while other changes wait.
    private static let roundsMax = 8

    /// Writes what has conditional references: each as soon as its own are found, for one may mean another. A chain of
    /// more than ``roundsMax`` that was sent in the wrong order is refused as one whose end is not found.
    private func make(
        _ waiting: [(entry: Entry, change: ResolvedChange)], _ references: inout ConditionalReferences,
        _ made: inout [(index: Int, change: MadeChange)], in unit: any ResourceUnitOfWork
    ) throws {
        var waiting = waiting
        for _ in 1...Self.roundsMax {
            references.startRound()
            var left: [(entry: Entry, change: ResolvedChange)] = []
            for (entry, resolved) in waiting {
                try naming(entry.index) {
                    guard let linked = try references.replaced(resolved, entry.index, in: unit) else {
                        return left.append((entry, resolved))
                    }
                    made.append((entry.index, try linked.make(in: unit)))
                }
            }
            if left.count == waiting.count { break }
            waiting = left
        }
        if let first = waiting.first {
            throw Refusal(index: first.entry.index, cause: references.unfound(first.entry.index))
        }
    }

    private func naming<T>(_ index: Int, _ work: () throws -> T) throws -> T {
        do { return try work() } catch let refusal as Refusal { throw refusal } catch {
            throw Refusal(index: index, cause: error)
        }
    }
}

extension ChangeSet.Entry {
    /// In which order verbs are processed: DELETE, POST, PUT and PATCH. FHIR R4 http.html#trules.
    var verb: Int {
        switch change.action {
        case .delete: 0
        case .create: 1
        case .update, .patch: 2
        }
    }
}

extension ResolvedChange {
    /// The same with its resource replaced.
    func with(_ document: JSONDocument) -> ResolvedChange {
        var change = change
        switch change.action {
        case .create: change.action = .create(document)
        case .update: change.action = .update(document)
        case .patch, .delete: break
        }
        return ResolvedChange(change: change, target: target)
    }

    /// What will be written, where the change brings it.
    var document: JSONDocument? {
        guard case .write = target else { return nil }
        return switch change.action {
        case .create(let document), .update(let document): document
        case .patch, .delete: nil
        }
    }
}
