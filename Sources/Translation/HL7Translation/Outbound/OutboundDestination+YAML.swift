import HL7v2
import Workflow
import Yams

/// `destinations` of the site profile.
extension SiteProfile {
    static func destinations(_ node: Node) throws -> [OutboundDestination] {
        var destinations: [OutboundDestination] = []
        for (name, settings) in try node.entries() {
            guard name.utf8.count <= OutboundDestination.nameBytesMax, !name.contains("/") else {
                throw settings.error(
                    "a destination's name has at most \(OutboundDestination.nameBytesMax) bytes and no slash")
            }
            guard !destinations.contains(where: { $0.name == name }) else {
                throw settings.error("destination \(name) is there twice")
            }
            destinations.append(try OutboundDestination(name: name, settings))
        }
        return destinations
    }
}

extension OutboundDestination {
    fileprivate init(name: String, _ node: Node) throws {
        self.init(name: name, peer: "")
        var wire = Wire()
        for (key, value) in try node.entries() {
            switch key {
            case "peer": peer = try value.text()
            case "sending_application": sendingApplication = try value.text()
            case "sending_facility": sendingFacility = try value.text()
            case "processing_id":
                processingID = try value.converted("P, T or D") { ["P", "T", "D"].contains($0) ? $0 : nil }
            case "role": role = try value.converted("placer or filler", OrderRole.init(rawValue:))
            case "acknowledgment":
                acknowledgment = try value.converted("original or accept", AcknowledgmentMode.init(rawValue:))
            case "on_answer": try readReactions(value)
            case "connections": connections = try value.number(1...64)
            case "connect_seconds": connectSeconds = Int64(try value.number(1...300))
            case "answer_seconds": answerSeconds = Int64(try value.number(1...3_600))
            case "retry_days": ageSecondsMax = Int64(try value.number(1...365)) * 86_400
            case "tls": try readTLS(value)
            case "report": try readStyle(value)
            case "send": try readRules(value)
            default:
                guard try wire.read(key, value) else { throw value.error("unknown setting \(key) of a destination") }
            }
        }
        format = wire.format
        guard peer.contains("|") else { throw node.error("a destination needs its peer: APPLICATION|FACILITY") }
        guard !rules.isEmpty else { throw node.error("a destination needs what to send") }
    }

    /// How messages are written; put together once all is read.
    private struct Wire {
        var version = "2.5.1"
        var delimiters = Delimiters.standard
        var characterSet = HL7v2.CharacterSet.utf8
        var unencodable = WireFormat.Unencodable.refuse
        var overlong = WireFormat.Overlong.cut
        var lengths: [FieldLengths.Place: Int] = [:]

        var format: WireFormat {
            WireFormat(
                version: version, delimiters: delimiters, characterSet: characterSet, unencodable: unencodable,
                overlong: overlong, lengths: lengths)
        }

        /// False for a setting that is none of these.
        mutating func read(_ key: String, _ value: Node) throws -> Bool {
            switch key {
            case "version":
                version = try value.converted("a version from 2.3 to 2.8.2") { Self.versions.contains($0) ? $0 : nil }
            case "delimiters":
                delimiters = try value.converted("the field separator and MSH-2, such as |^~\\&", Self.delimiters)
            case "character_set":
                characterSet = try value.converted("ASCII, 8859/n or UNICODE UTF-8") { text in
                    HL7v2.CharacterSet(name: text).flatMap { $0.isTransparent ? $0 : nil }
                }
            case "unencodable":
                unencodable = try value.converted("refuse or replace", WireFormat.Unencodable.init(rawValue:))
            case "too_long": overlong = try value.converted("refuse or cut", WireFormat.Overlong.init(rawValue:))
            case "lengths":
                for (name, length) in try value.entries() {
                    guard let place = FieldLengths.Place(name) else { throw length.error("\(name) is not a field") }
                    lengths[place] = try length.number(1...1_000_000)
                }
            default: return false
            }
            return true
        }

        private static let versions: Set<String> = [
            "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2",
        ]

        private static func delimiters(_ text: String) -> Delimiters? {
            let bytes = Array(text.utf8)
            guard bytes.count == 5 || bytes.count == 6 else { return nil }
            return Delimiters(
                field: bytes[0], component: bytes[1], repetition: bytes[2], escape: bytes[3], subcomponent: bytes[4],
                truncation: bytes.count == 6 ? bytes[5] : nil)
        }
    }

    private mutating func readReactions(_ node: Node) throws {
        for (code, value) in try node.entries() {
            guard reactions[code] != nil else { throw value.error("\(code) is none of AE, AR, CE and CR") }
            reactions[code] = try value.converted("retry, park or stop", Reaction.init(rawValue:))
        }
    }

    private mutating func readTLS(_ node: Node) throws {
        guard node.mapping != nil else {
            isTLS = try node.converted("true, false or settings") { Bool($0) }
            return
        }
        isTLS = true
        for (key, value) in try node.entries() {
            switch key {
            case "server_name": serverName = try value.text()
            default: throw value.error("unknown setting tls.\(key)")
            }
        }
    }

    private mutating func readStyle(_ node: Node) throws {
        for (key, value) in try node.entries() {
            switch key {
            case "contents":
                style.contents = Set(
                    try value.texts().map { text in
                        guard let content = ReportStyle.Content(rawValue: text) else {
                            throw value.error("\(text) is none of text, observations, documents and link")
                        }
                        return content
                    })
            case "text_as": style.isFormatted = try value.converted("TX or FT") { ["TX": false, "FT": true][$0] }
            case "link_as": style.isLinkText = try value.converted("RP or TX") { ["RP": false, "TX": true][$0] }
            case "viewer":
                style.viewer = try value.converted("an address with {study} in it") {
                    $0.contains("{study}") ? $0 : nil
                }
            default: throw value.error("unknown setting report.\(key)")
            }
        }
    }

    private mutating func readRules(_ node: Node) throws {
        guard let list = node.sequence else { throw node.error("send is a list") }
        rules = try list.map { item in
            var event: Event?
            var form: OutboundForm?
            var states: Set<Report.Status> = []
            var modalities: Set<String> = []
            for (key, value) in try item.entries() {
                switch key {
                case "event":
                    let known = Event.allCases.map(\.rawValue).joined(separator: ", ")
                    event = try value.converted("one of \(known)", Event.init(rawValue:))
                case "as": form = try value.converted("a message such as ORU^R01", OutboundForm.init(rawValue:))
                case "states":
                    states = Set(
                        try value.texts().map { text in
                            guard let state = Report.Status(rawValue: text) else {
                                throw value.error("\(text) is no state of a report")
                            }
                            return state
                        })
                case "modalities": modalities = Set(try value.texts())
                default: throw value.error("unknown setting send.\(key)")
                }
            }
            guard let event else { throw item.error("send needs the event") }
            let chosen = form ?? event.forms[0]
            guard event.forms.contains(chosen) else {
                throw item.error("\(chosen.rawValue) does not tell of \(event.rawValue)")
            }
            return Rule(event, chosen, states: states, modalities: modalities)
        }
    }
}

extension Node {
    fileprivate func number(_ range: ClosedRange<Int>) throws -> Int {
        try converted("a number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}
