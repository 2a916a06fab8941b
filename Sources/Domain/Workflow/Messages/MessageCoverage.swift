/// What became of each value that one message brought: where it was carried, where it is kept instead, or that nobody
/// took it. Made by the mapping itself while it reads.
package struct MessageCoverage: Sendable, Hashable {
    package enum Disposition: String, Sendable, Hashable {
        /// Carried into the record.
        case mapped
        /// Kept beside the record, such as in the journal's own columns.
        case kept
        /// Taken by nobody; it is in the raw message alone.
        case unmapped
    }

    /// The values of one place, all occurrences and repetitions together.
    package struct Entry: Sendable, Hashable {
        package var place: String
        package var disposition: Disposition
        /// Where they went; empty for `.unmapped`.
        package var targets: [String]
        package var count: Int
        package init(place: String, disposition: Disposition, targets: [String], count: Int = 1) {
            self.place = place
            self.disposition = disposition
            self.targets = targets
            self.count = count
        }
    }

    /// The most different entries that are kept; a message made to have more is counted on in `omitted`.
    package static let entriesMax = 2000

    /// In the order in which the message first has them.
    package private(set) var entries: [Entry] = []
    /// How many values came after the limit of entries was reached.
    package private(set) var omitted = 0
    private var index: [Key: Int] = [:]
    /// ``text``, where ``written()`` has made it.
    private var ready: String?

    private struct Key: Sendable, Hashable {
        var place: String
        var targets: [String]
        var disposition: Disposition

        /// By the place alone, which few entries share.
        func hash(into hasher: inout Hasher) { hasher.combine(place) }
    }

    package init() {}

    /// Counts a value.
    package mutating func add(_ place: String, _ disposition: Disposition, targets: [String] = [], count: Int = 1) {
        let key = Key(place: place, targets: targets, disposition: disposition)
        ready = nil
        if let known = index[key] {
            entries[known].count += count
        } else if entries.count < Self.entriesMax {
            index[key] = entries.count
            entries.append(Entry(place: place, disposition: disposition, targets: targets, count: count))
        } else {
            omitted += count
        }
    }

    /// How many values have this disposition.
    package func count(_ disposition: Disposition) -> Int {
        entries.reduce(0) { $1.disposition == disposition ? $0 + $1.count : $0 }
    }

    package static func == (a: MessageCoverage, b: MessageCoverage) -> Bool {
        a.entries == b.entries && a.omitted == b.omitted
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(entries)
        hasher.combine(omitted)
    }
}

extension MessageCoverage {
    /// The form in which the journal keeps it: a line for each run of entries that went the same way, `+` mapped, `=`
    /// kept, `-` unmapped, then the targets, a tab, and the places, `*n` behind one that occurs more than once.
    package var text: String { ready ?? made() }

    /// The same with ``text`` made already, for one who will ask for it where there is little time.
    package func written() -> MessageCoverage {
        var written = self
        written.ready = made()
        return written
    }

    private func made() -> String {
        var text = ""
        var last: (Disposition, [String])?
        for entry in entries {
            if let last, last == (entry.disposition, entry.targets) {
                text += " "
            } else {
                if !text.isEmpty { text += "\n" }
                text += entry.disposition.mark
                text += entry.targets.joined(separator: ",")
                text += "\t"
                last = (entry.disposition, entry.targets)
            }
            text += entry.place
            if entry.count != 1 { text += "*\(entry.count)" }
        }
        if omitted > 0 { text += (text.isEmpty ? "" : "\n") + "~\t\(omitted)" }
        return text
    }

    /// Reads `text`; lines that do not follow the form are passed over.
    package init(text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2, let mark = parts[0].first else { continue }
            if mark == "~" { omitted = Int(parts[1]) ?? 0 }
            guard let disposition = Disposition(mark: mark) else { continue }
            let targets = parts[0].dropFirst().split(separator: ",").map(String.init)
            for word in parts[1].split(separator: " ") {
                let pieces = word.split(separator: "*", maxSplits: 1)
                guard let place = pieces.first else { continue }
                add(
                    String(place), disposition, targets: targets,
                    count: pieces.count == 2 ? max(1, Int(pieces[1]) ?? 1) : 1)
            }
        }
    }
}

extension MessageCoverage.Disposition {
    fileprivate var mark: String {
        switch self {
        case .mapped: "+"
        case .kept: "="
        case .unmapped: "-"
        }
    }

    fileprivate init?(mark: Character) {
        switch mark {
        case "+": self = .mapped
        case "=": self = .kept
        case "-": self = .unmapped
        default: return nil
        }
    }
}
