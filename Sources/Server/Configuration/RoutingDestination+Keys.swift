import Access
import DICOMData
import DICOMTranslation
import Foundation
import Workflow

extension RoutingConfiguration.Destination: Decodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, peer, stow, token, windows, coerce, connections, commitment
        case senders = "not-from"
        case deidentification = "de-identify"
        case transferSyntaxes = "transfer-syntaxes"
        case days = "give-up-days"
        case reportHours = "report-hours"
    }

    static let nameBytesMax = 64
    static let reportHoursDefault: Int64 = 6

    init(from decoder: any Decoder) throws {
        let place = RoutingText.place(decoder, in: "routing.destinations")
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        let name: String = try keys.stated(.name) ?? ""
        guard NameWord.isOne(name, bytesMax: Self.nameBytesMax) else {
            throw ConfigurationError("\(place).name: letters, digits, `-`, `_` and `.`, at most \(Self.nameBytesMax)")
        }
        let token: TokenKeys? = try keys.stated(.token)
        let others: [String] = try keys.stated(.senders) ?? []
        let windows: [WindowKeys] = try keys.stated(.windows) ?? []
        let steps: [CoercionKeys] = try keys.stated(.coerce) ?? []
        let deidentification: DeidentificationKeys? = try keys.stated(.deidentification)
        let syntaxes: OneOrMore? = try keys.stated(.transferSyntaxes)
        var senders = Set(others)
        switch (try keys.stated(.peer) as String?, try keys.stated(.stow) as String?) {
        case (let peer?, nil):
            guard DoorConfiguration.isAETitle(peer) else {
                throw ConfigurationError("\(place).peer: `\(peer)` is no AE title (PS3.5 §6.2)")
            }
            guard token == nil else { throw ConfigurationError("\(place).token: belongs to `stow`, not to `peer`") }
            guard syntaxes == nil else {
                throw ConfigurationError(
                    "\(place).transfer-syntaxes: belongs to `stow`; of a peer it is `hilum peer set --transfer-syntax`")
            }
            way = .peer(peer)
            senders.insert(peer)
        case (nil, let url?):
            _ = try Self.url(url, "\(place).stow")
            way = .stow(url: url, token: token?.token)
        default: throw ConfigurationError("\(place): either `peer`, an AE title, or `stow`, a URL")
        }
        self.place = place
        self.name = name
        self.senders = senders
        self.windows = windows.map(\.window)
        coercion = try steps.isEmpty ? nil : Self.coercion(steps, "\(place).coerce")
        self.deidentification = deidentification.map {
            .init(profile: $0.profile, pseudonyms: $0.pseudonyms ?? name)
        }
        transferSyntaxes = try syntaxes.map { try Self.transferSyntaxes($0.values, "\(place).transfer-syntaxes") } ?? []
        connections = Int(try keys.number(.connections, 1...16) ?? 2)
        days = try keys.number(.days, 1...365) ?? 7
        let hours = try keys.number(.reportHours, 1...720)
        let isAsked: Bool = try keys.stated(.commitment) ?? false
        if isAsked, case .stow = way {
            throw ConfigurationError("\(place).commitment: belongs to `peer`, not to `stow`")
        }
        guard isAsked || hours == nil else {
            throw ConfigurationError("\(place).report-hours: belongs to `commitment: true`")
        }
        reportHours = isAsked ? hours ?? Self.reportHoursDefault : nil
    }

    /// UIDs, the best first.
    private static func transferSyntaxes(_ uids: [String], _ place: String) throws -> [TransferSyntax] {
        guard !uids.isEmpty else { throw ConfigurationError("\(place): at least one, or leave it out") }
        return try uids.map { uid in
            guard let syntax = TransferSyntax(uid: uid) else {
                throw ConfigurationError("\(place): `\(uid)` is no UID of a transfer syntax that is known here")
            }
            guard !syntax.isImplicit, !syntax.isBigEndian else {
                throw ConfigurationError(
                    "\(place): `\(uid)`: without the VR or in big endian nothing goes over the web (PS3.18 §8.7.3); "
                        + "Explicit VR Little Endian is 1.2.840.10008.1.2.1")
            }
            return syntax
        }
    }

    static func url(_ text: String, _ place: String) throws -> OutboundURL {
        do { return try OutboundURL(text) } catch { throw ConfigurationError("\(place): \(error.rawValue)") }
    }

    private static func coercion(_ keys: [CoercionKeys], _ place: String) throws -> Coercion {
        do { return try Coercion(rules: keys.map(\.rule)) } catch {
            let name = DataDictionary.keyword(error.tag) ?? error.tag.hex
            let reason =
                switch error.code {
                case .notCoercible: "says what the object is, or how it is written, and stays"
                case .noText: "has no values that are written as text"
                case .invalidValue: "cannot have this value"
                case .unlike: "is no sequence and the other one is, or the other way round"
                }
            throw ConfigurationError("\(place): \(name) \(reason)")
        }
    }
}

/// How access tokens of another server are asked for.
struct TokenKeys: Decodable {
    var token: RoutingConfiguration.Destination.Token

    enum CodingKeys: String, CodingKey, CaseIterable {
        case url, client, scope, key
        case keyID = "key-id"
    }

    init(from decoder: any Decoder) throws {
        // Of the destinations and of the feeds of the audit trail.
        let place = decoder.codingPath.filter { $0.intValue == nil }.map(\.stringValue).joined(separator: ".")
        token = try .init(
            StrictKeys(decoder, CodingKeys.self, place), url: .url, client: .client, scope: .scope, key: .key,
            keyID: .keyID)
    }
}

extension RoutingConfiguration.Destination.Token {
    /// Throws ``ConfigurationError`` for what is left out, and for a URL that is not dialled.
    init<Key>(_ keys: StrictKeys<Key>, url: Key, client: Key, scope: Key, key: Key, keyID: Key) throws {
        self.url = try keys.needed(url)
        _ = try RoutingConfiguration.Destination.url(self.url, "\(keys.place).\(url.rawValue)")
        self.client = try keys.needed(client)
        self.scope = try keys.needed(scope)
        self.key = try keys.needed(key)
        self.keyID = try keys.stated(keyID)
    }
}

private struct WindowKeys: Decodable {
    var window: BandwidthPlan.Window

    enum CodingKeys: String, CodingKey, CaseIterable {
        case hours
        case bytesPerSecond = "bytes-per-second"
    }

    init(from decoder: any Decoder) throws {
        let place = RoutingText.place(decoder, in: "routing.destinations.windows")
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        let hours: String = try keys.stated(.hours) ?? "00:00-24:00"
        let ends = hours.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 1_440 else {
            throw ConfigurationError("\(place).hours: `\(hours)` is not as 19:00-07:00")
        }
        let least = Int64(BandwidthPlan.bytesPerSecondMin)
        window = .init(
            start: start, end: end % 1_440,
            bytesPerSecond: try keys.number(.bytesPerSecond, least...Int64(Int32.max) * 8).map(Int.init))
    }

    /// Since midnight, of `hh:mm`, to 24:00.
    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ part in part.utf8.count == 2 && part.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1_440
        else { return nil }
        return hour * 60 + minute
    }
}

/// One rule of coercion: what is copied, mapped, set and removed, in this order, where the object says so.
private struct CoercionKeys: Decodable {
    var rule: CoercionRule

    enum CodingKeys: String, CodingKey, CaseIterable { case when, copy, map, set, remove }

    init(from decoder: any Decoder) throws {
        let place = RoutingText.place(decoder, in: "routing.destinations.coerce")
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        func tag(_ text: String) throws -> Tag { try RoutingText.tag(text, place) }
        var steps: [CoercionRule.Step] = []
        let copied: [String: String] = try keys.stated(.copy) ?? [:]
        for (to, from) in copied.sorted(by: { $0.key < $1.key }) {
            steps.append(.copy(from: try tag(from), to: try tag(to)))
        }
        let mapped: [String: [String: String]] = try keys.stated(.map) ?? [:]
        for (name, values) in mapped.sorted(by: { $0.key < $1.key }) { steps.append(.map(try tag(name), values)) }
        let set: [String: String] = try keys.stated(.set) ?? [:]
        for (name, value) in set.sorted(by: { $0.key < $1.key }) { steps.append(.set(try tag(name), value)) }
        let removed: OneOrMore? = try keys.stated(.remove)
        for name in removed?.values ?? [] { steps.append(.remove(try tag(name))) }
        guard !steps.isEmpty else { throw ConfigurationError("\(place): one of copy, map, set, remove") }
        let attributes: [String: String] = try keys.stated(.when) ?? [:]
        rule = CoercionRule(attributes: try RoutingText.attributes(attributes, "\(place).when"), steps: steps)
    }
}

private struct DeidentificationKeys: Decodable {
    var profile: DeidentificationProfile
    var pseudonyms: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case options, pseudonyms, pixels
        case safePrivate = "safe-private"
        case safeWords = "safe-words"
        case shiftMax = "shift-max"
        case keepsWeekday = "keep-weekday"
    }

    private static let place = "routing.destinations.de-identify"
    private static let options: [String: DeidentificationOptions] = [
        "retain-safe-private": .retainSafePrivate, "retain-uids": .retainUIDs,
        "retain-device-identity": .retainDeviceIdentity, "retain-institution-identity": .retainInstitutionIdentity,
        "retain-patient-characteristics": .retainPatientCharacteristics, "retain-full-dates": .retainFullDates,
        "retain-modified-dates": .retainModifiedDates, "clean-descriptors": .cleanDescriptors,
        "clean-structured-content": .cleanStructuredContent, "clean-graphics": .cleanGraphics,
        "clean-pixel-data": .cleanPixelData,
    ]

    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, Self.place)
        let names: [String] = try keys.stated(.options) ?? []
        profile = DeidentificationProfile()
        for name in names {
            guard let option = Self.options[name] else {
                throw ConfigurationError(
                    "\(Self.place).options: `\(name)` is none of \(Self.options.keys.sorted().joined(separator: ", "))")
            }
            profile.options.insert(option)
        }
        profile.safeWords = Set(try keys.stated(.safeWords) ?? [String]())
        let safe: [PrivateKeys] = try keys.stated(.safePrivate) ?? []
        profile.safePrivate = Set(safe.map(\.element))
        let pixels: [PixelKeys] = try keys.stated(.pixels) ?? []
        profile.pixelRules = pixels.map(\.rule)
        profile.shiftMax = Int(try keys.number(.shiftMax, 1...10_000) ?? Int64(profile.shiftMax))
        profile.keepsWeekday = try keys.stated(.keepsWeekday) ?? false
        pseudonyms = try keys.stated(.pseudonyms)
        guard pixels.isEmpty || profile.options.contains(.cleanPixelData) else {
            throw ConfigurationError("\(Self.place).pixels: count with the option clean-pixel-data only")
        }
        guard safe.isEmpty || profile.options.contains(.retainSafePrivate) else {
            throw ConfigurationError("\(Self.place).safe-private: count with the option retain-safe-private only")
        }
    }

    private struct PrivateKeys: Decodable {
        var element: DeidentificationProfile.PrivateElement

        enum CodingKeys: String, CodingKey, CaseIterable { case group, creator, element }

        init(from decoder: any Decoder) throws {
            let place = RoutingText.place(decoder, in: "\(DeidentificationKeys.place).safe-private")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            let (group, element): (String?, String?) = (try keys.stated(.group), try keys.stated(.element))
            guard let group = group.flatMap({ UInt16($0, radix: 16) }), group % 2 == 1,
                let element = element.flatMap({ UInt8($0, radix: 16) }),
                let creator: String = try keys.stated(.creator), !creator.isEmpty
            else {
                throw ConfigurationError(
                    "\(place): group, an odd one of 4 hexadecimal digits, creator, and element, the last 2 digits")
            }
            self.element = .init(group: group, creator: creator, element: element)
        }
    }

    private struct PixelKeys: Decodable {
        var rule: PixelRule

        enum CodingKeys: String, CodingKey, CaseIterable { case when, blank }

        init(from decoder: any Decoder) throws {
            let place = RoutingText.place(decoder, in: "\(DeidentificationKeys.place).pixels")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            let attributes: [String: String] = try keys.stated(.when) ?? [:]
            let regions: [String] = try keys.stated(.blank) ?? []
            rule = PixelRule(
                attributes: try RoutingText.attributes(attributes, "\(place).when"),
                regions: try regions.map { text in
                    let numbers = text.split(separator: " ").map { Int($0) }
                    guard numbers.count == 4, let column = numbers[0], let row = numbers[1], let width = numbers[2],
                        let height = numbers[3], column >= 0, row >= 0, width > 0, height > 0
                    else {
                        throw ConfigurationError("\(place).blank: `\(text)` is not `column row width height` in pixels")
                    }
                    return PixelRule.Region(column: column, row: row, width: width, height: height)
                })
        }
    }
}
