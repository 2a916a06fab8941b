import NIOCore

/// The type codes of items and sub-items. PS3.8 §9.3.2, §9.3.3, PS3.7 §D.3.3.
enum ItemType {
    static let applicationContext: UInt8 = 0x10
    static let proposedContext: UInt8 = 0x20
    static let contextResult: UInt8 = 0x21
    static let abstractSyntax: UInt8 = 0x30
    static let transferSyntax: UInt8 = 0x40
    static let userInformation: UInt8 = 0x50
    static let maximumLength: UInt8 = 0x51
    static let implementationClassUID: UInt8 = 0x52
    static let asynchronousOperationsWindow: UInt8 = 0x53
    static let roleSelection: UInt8 = 0x54
    static let implementationVersionName: UInt8 = 0x55
    static let extendedNegotiation: UInt8 = 0x56
    static let commonExtendedNegotiation: UInt8 = 0x57
    static let userIdentity: UInt8 = 0x58
    static let userIdentityResponse: UInt8 = 0x59
}

/// Reads the type-length-value items of an A-ASSOCIATE PDU in one bounded stretch of bytes.
///
/// Each item is type (1), reserved (1), length (2, big endian), value. Nothing is read beyond the stretch.
struct ItemReader {
    private var bytes: ByteBuffer
    /// Where index 0 of `bytes` lies in the PDU, for the offsets in errors.
    private let base: Int

    init(_ bytes: ByteBuffer, base: Int) {
        self.bytes = bytes.slice()
        self.base = base
    }

    var isAtEnd: Bool { bytes.readableBytes == 0 }
    /// Of the next byte, from the first byte of the PDU.
    var offset: Int { base + bytes.readerIndex }

    /// The next item, as its type and a reader of its value. Throws `.itemOverrun`.
    mutating func item() throws(PDUError) -> (type: UInt8, value: ItemReader) {
        let start = offset
        guard let (type, _, length) = bytes.readMultipleIntegers(as: (UInt8, UInt8, UInt16).self) else {
            throw .itemOverrun(offset: start)
        }
        let valueStart = offset
        guard let value = bytes.readSlice(length: Int(length)) else { throw .itemOverrun(offset: start) }
        return (type, ItemReader(value, base: valueStart))
    }

    mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(PDUError) -> T {
        guard let value = bytes.readInteger(as: T.self) else { throw .itemOverrun(offset: offset) }
        return value
    }

    mutating func bytes(_ count: Int) throws(PDUError) -> [UInt8] {
        guard let value = bytes.readBytes(length: count) else { throw .itemOverrun(offset: offset) }
        return value
    }

    mutating func rest() -> [UInt8] { bytes.readBytes(length: bytes.readableBytes) ?? [] }

    /// A value with its length (2 bytes) before it.
    mutating func counted() throws(PDUError) -> [UInt8] {
        let count: UInt16 = try integer()
        return try bytes(Int(count))
    }

    mutating func countedUID() throws(PDUError) -> String { uidText(try counted()) }
    mutating func restAsUID() -> String { uidText(rest()) }

    /// Throws `.itemInvalid` when a fixed form left bytes over.
    func expectEnd(of type: UInt8) throws(PDUError) {
        guard isAtEnd else { throw .itemInvalid(type: type, offset: offset) }
    }
}

/// A UID of an item. The upper layer does not pad UIDs; the NUL or space that some devices add is taken off.
/// Bytes that no UID has stay in, so that such a UID equals none that is known. PS3.8 §F.
func uidText(_ bytes: [UInt8]) -> String {
    var end = bytes.endIndex
    while end > 0, bytes[end - 1] == 0 || bytes[end - 1] == 0x20 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self)
}

/// What A-ASSOCIATE-RQ and -AC have in common. PS3.8 §9.3.2, §9.3.3.
private struct AssociateBody {
    let protocolVersion: UInt16
    let called: AETitle
    let calling: AETitle
    var applicationContext = ""
    var contexts: [(reader: ItemReader, offset: Int)] = []
    var userInformation: ItemReader?

    /// Splits the body into its fixed fields and items; items of unknown type are passed over.
    init(_ body: ByteBuffer, type: PDU.TypeCode, contextItem: UInt8, limits: NetworkLimits) throws(PDUError) {
        let length = body.readableBytes
        guard length >= 68 else { throw .lengthInvalid(type: type.rawValue, length: UInt32(length)) }
        var reader = ItemReader(body, base: 6)
        protocolVersion = try reader.integer()
        _ = try reader.bytes(2)
        called = AETitle(wire: try reader.bytes(16))
        calling = AETitle(wire: try reader.bytes(16))
        _ = try reader.bytes(32)
        var hasApplicationContext = false
        while !reader.isAtEnd {
            let start = reader.offset
            var (item, value) = try reader.item()
            switch item {
            case ItemType.applicationContext:
                guard !hasApplicationContext else { throw .itemCount(type: item, offset: start) }
                hasApplicationContext = true
                applicationContext = value.restAsUID()
            case contextItem:
                guard contexts.count < limits.presentationContextsMax else {
                    throw .tooManyContexts(limit: limits.presentationContextsMax)
                }
                contexts.append((value, start))
            case ItemType.userInformation:
                guard userInformation == nil else { throw .itemCount(type: item, offset: start) }
                userInformation = value
            default: break
            }
        }
    }

    func information(isRequest: Bool) throws(PDUError) -> UserInformation {
        guard let userInformation else { return UserInformation(maximumLength: nil, implementationClassUID: "") }
        return try UserInformation(userInformation, isRequest: isRequest)
    }
}

/// Which of the 256 context identifiers were seen; refuses even, zero and repeated ones. PS3.8 §9.3.2.2.
private struct ContextIDs {
    private var seen = [Bool](repeating: false, count: 256)
    mutating func insert(_ id: UInt8, offset: Int) throws(PDUError) {
        guard id & 1 == 1, !seen[Int(id)] else { throw .contextIDInvalid(id, offset: offset) }
        seen[Int(id)] = true
    }
}

extension AssociateRequest {
    init(_ body: ByteBuffer, limits: NetworkLimits) throws(PDUError) {
        let parts = try AssociateBody(
            body, type: .associateRequest, contextItem: ItemType.proposedContext, limits: limits)
        var ids = ContextIDs()
        var contexts: [ProposedPresentationContext] = []
        contexts.reserveCapacity(parts.contexts.count)
        for (item, offset) in parts.contexts {
            var reader = item
            let id: UInt8 = try reader.integer()
            _ = try reader.bytes(3)
            try ids.insert(id, offset: offset)
            var abstractSyntax: String?
            var transferSyntaxes: [String] = []
            while !reader.isAtEnd {
                var (type, value) = try reader.item()
                switch type {
                case ItemType.abstractSyntax:
                    guard abstractSyntax == nil else { throw .itemCount(type: type, offset: offset) }
                    abstractSyntax = value.restAsUID()
                case ItemType.transferSyntax: transferSyntaxes.append(value.restAsUID())
                default: break
                }
            }
            guard let abstractSyntax else { throw .itemCount(type: ItemType.abstractSyntax, offset: offset) }
            contexts.append(
                ProposedPresentationContext(
                    id: id, abstractSyntax: abstractSyntax, transferSyntaxes: transferSyntaxes))
        }
        self.init(
            calledAETitle: parts.called, callingAETitle: parts.calling, presentationContexts: contexts,
            userInformation: try parts.information(isRequest: true))
        protocolVersion = parts.protocolVersion
        applicationContextName = parts.applicationContext
    }
}

extension AssociateAccept {
    init(_ body: ByteBuffer, limits: NetworkLimits) throws(PDUError) {
        let parts = try AssociateBody(
            body, type: .associateAccept, contextItem: ItemType.contextResult, limits: limits)
        var ids = ContextIDs()
        var contexts: [PresentationContextResult] = []
        contexts.reserveCapacity(parts.contexts.count)
        for (item, offset) in parts.contexts {
            var reader = item
            let (id, result) = (try reader.integer(UInt8.self), try reader.bytes(3)[1])
            try ids.insert(id, offset: offset)
            var transferSyntax: String?
            while !reader.isAtEnd {
                var (type, value) = try reader.item()
                guard type == ItemType.transferSyntax else { continue }
                // Only an acceptance has exactly one; in a rejection the item means nothing. PS3.8 §9.3.3.2.
                if transferSyntax != nil, result == 0 { throw .itemCount(type: type, offset: offset) }
                transferSyntax = value.restAsUID()
            }
            if transferSyntax == nil, result == 0 {
                throw .itemCount(type: ItemType.transferSyntax, offset: offset)
            }
            contexts.append(
                PresentationContextResult(
                    id: id, result: PresentationContextResult.Result(rawValue: result) ?? .noReason,
                    transferSyntax: transferSyntax ?? ""))
        }
        self.init(
            calledAETitle: parts.called, callingAETitle: parts.calling, presentationContexts: contexts,
            userInformation: try parts.information(isRequest: false))
        protocolVersion = parts.protocolVersion
        applicationContextName = parts.applicationContext
    }
}

extension UserInformation {
    /// Reads the sub-items; unknown ones, and those that do not belong in this PDU, are passed over.
    /// PS3.7 §D.3.3: a sub-item that is not understood is ignored.
    init(_ item: ItemReader, isRequest: Bool) throws(PDUError) {
        self.init(maximumLength: nil, implementationClassUID: "")
        var reader = item
        while !reader.isAtEnd {
            let start = reader.offset
            var (type, value) = try reader.item()
            switch type {
            case ItemType.maximumLength:
                guard maximumLength == nil else { throw .itemCount(type: type, offset: start) }
                maximumLength = try value.integer()
                try value.expectEnd(of: type)
            case ItemType.implementationClassUID: implementationClassUID = value.restAsUID()
            case ItemType.implementationVersionName: implementationVersionName = uidText(value.rest())
            case ItemType.asynchronousOperationsWindow:
                guard asynchronousOperationsWindow == nil else { throw .itemCount(type: type, offset: start) }
                asynchronousOperationsWindow = AsynchronousOperationsWindow(
                    invoked: try value.integer(), performed: try value.integer())
                try value.expectEnd(of: type)
            case ItemType.roleSelection:
                let uid = try value.countedUID()
                roleSelections.append(
                    RoleSelection(
                        sopClassUID: uid, scu: try value.integer(UInt8.self) == 1,
                        scp: try value.integer(UInt8.self) == 1))
            case ItemType.extendedNegotiation:
                let uid = try value.countedUID()
                extendedNegotiations.append(ExtendedNegotiation(sopClassUID: uid, information: value.rest()))
            case ItemType.commonExtendedNegotiation where isRequest:
                // The second byte of this item's header is a version, which the reader passes over: 0 is the only one.
                commonExtendedNegotiations.append(try CommonExtendedNegotiation(&value))
            case ItemType.userIdentity where isRequest:
                guard userIdentity == nil else { throw .itemCount(type: type, offset: start) }
                userIdentity = UserIdentity(
                    kind: try value.integer(), positiveResponseRequested: try value.integer(UInt8.self) == 1,
                    primary: try value.counted(), secondary: try value.counted())
            case ItemType.userIdentityResponse where !isRequest:
                userIdentityResponse = try value.counted()
            default: break
            }
        }
    }
}

extension CommonExtendedNegotiation {
    /// SOP class, service class, related general classes, each counted by 2 bytes. PS3.7 §D.3.3.6.1.
    fileprivate init(_ value: inout ItemReader) throws(PDUError) {
        self.init(sopClassUID: try value.countedUID(), serviceClassUID: try value.countedUID())
        let relatedLength: UInt16 = try value.integer()
        var related = ItemReader(ByteBuffer(bytes: try value.bytes(Int(relatedLength))), base: value.offset)
        while !related.isAtEnd { relatedGeneralSOPClassUIDs.append(try related.countedUID()) }
    }
}
