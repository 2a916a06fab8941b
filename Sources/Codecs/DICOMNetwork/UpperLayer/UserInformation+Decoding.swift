import NIOCore

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
