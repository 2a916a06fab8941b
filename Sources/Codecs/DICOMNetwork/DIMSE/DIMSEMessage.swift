/// What a command asks for or answers. PS3.7 §E.1.
package enum CommandField: UInt16, Sendable, CaseIterable {
    case cStoreRequest = 0x0001
    case cStoreResponse = 0x8001
    case cGetRequest = 0x0010
    case cGetResponse = 0x8010
    case cFindRequest = 0x0020
    case cFindResponse = 0x8020
    case cMoveRequest = 0x0021
    case cMoveResponse = 0x8021
    case cEchoRequest = 0x0030
    case cEchoResponse = 0x8030
    case nEventReportRequest = 0x0100
    case nEventReportResponse = 0x8100
    case nGetRequest = 0x0110
    case nGetResponse = 0x8110
    case nSetRequest = 0x0120
    case nSetResponse = 0x8120
    case nActionRequest = 0x0130
    case nActionResponse = 0x8130
    case nCreateRequest = 0x0140
    case nCreateResponse = 0x8140
    case nDeleteRequest = 0x0150
    case nDeleteResponse = 0x8150
    case cCancelRequest = 0x0FFF

    package var isResponse: Bool { rawValue & 0x8000 != 0 }
}

/// One command that arrived or is to be sent, checked for the elements of its kind. PS3.7 §9.3, §10.3.
package struct DIMSEMessage: Sendable, Equatable {
    /// The presentation context that carries it.
    package let contextID: UInt8
    package let command: CommandSet
    /// nil for a command field that no edition names: answer it with 0211H.
    package let field: CommandField?
    /// Of a request its own number; of a response and of C-CANCEL the number of the request they belong to.
    package let messageID: UInt16
    /// Whether a data set follows the command.
    package let hasDataSet: Bool

    /// Checks a command.
    ///
    /// Throws `.elementMissing` for an absent or malformed Command Field, Message ID (or the one being responded to),
    /// Command Data Set Type, or Status of a response: without them it cannot be answered. UIDs are for the service to
    /// judge, which has a status for each fault.
    package init(contextID: UInt8, command: CommandSet) throws(DIMSEError) {
        guard let rawField = command.uint16(.commandField) else { throw .elementMissing(.commandField) }
        guard let dataSetType = command.uint16(.commandDataSetType) else {
            throw .elementMissing(.commandDataSetType)
        }
        let isAnswer = rawField & 0x8000 != 0 || rawField == CommandField.cCancelRequest.rawValue
        let idElement: CommandSet.Element = isAnswer ? .messageIDBeingRespondedTo : .messageID
        guard let messageID = command.uint16(idElement) else { throw .elementMissing(idElement) }
        if rawField & 0x8000 != 0, command.uint16(.status) == nil { throw .elementMissing(.status) }
        self.contextID = contextID
        self.command = command
        field = CommandField(rawValue: rawField)
        self.messageID = messageID
        hasDataSet = dataSetType != Self.noDataSet
    }

    /// The Command Data Set Type that says no data set follows; any other value says one does. PS3.7 §E.1.
    package static let noDataSet: UInt16 = 0x0101

    /// The status of a response; nil in a request.
    package var status: DIMSEStatus? { command.uint16(.status).map(DIMSEStatus.init(rawValue:)) }
    /// Whether it answers something, also by a command field that no edition names.
    package var isResponse: Bool { (command.uint16(.commandField) ?? 0) & 0x8000 != 0 }
    /// Affected, else requested: N-GET, N-SET, N-ACTION and N-DELETE requests name the class by the second.
    package var sopClassUID: String? { command.uid(.affectedSOPClassUID) ?? command.uid(.requestedSOPClassUID) }
    package var sopInstanceUID: String? {
        command.uid(.affectedSOPInstanceUID) ?? command.uid(.requestedSOPInstanceUID)
    }
}

extension CommandSet {
    /// A request with the elements that all requests have. PS3.7 §9.3, §10.3.
    package static func request(
        _ field: CommandField, messageID: UInt16, affectedSOPClassUID: String?, hasDataSet: Bool
    ) -> CommandSet {
        var command = CommandSet()
        command.set(.affectedSOPClassUID, uid: affectedSOPClassUID)
        command.set(.commandField, uint16: field.rawValue)
        command.set(.messageID, uint16: messageID)
        command.set(.commandDataSetType, uint16: hasDataSet ? 0x0000 : DIMSEMessage.noDataSet)
        return command
    }

    /// PS3.7 §9.3.5.1.
    package static func cEchoRequest(messageID: UInt16) -> CommandSet {
        request(.cEchoRequest, messageID: messageID, affectedSOPClassUID: "1.2.840.10008.1.1", hasDataSet: false)
    }

    /// Priority medium. `moveOriginator` is who asked for it by C-MOVE, and in which message. PS3.7 §9.3.1.1.
    package static func cStoreRequest(
        messageID: UInt16, sopClassUID: String, sopInstanceUID: String,
        moveOriginator: (aeTitle: AETitle, messageID: UInt16)? = nil
    ) -> CommandSet {
        var command = request(
            .cStoreRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: true)
        command.set(.priority, uint16: 0)
        command.set(.affectedSOPInstanceUID, uid: sopInstanceUID)
        if let moveOriginator {
            command.set(.moveOriginatorAETitle, text: moveOriginator.aeTitle.value)
            command.set(.moveOriginatorMessageID, uint16: moveOriginator.messageID)
        }
        return command
    }

    /// Priority medium. PS3.7 §9.3.3.1.
    package static func cGetRequest(messageID: UInt16, sopClassUID: String) -> CommandSet {
        var command = request(.cGetRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: true)
        command.set(.priority, uint16: 0)
        return command
    }

    /// Priority medium. PS3.7 §9.3.4.1.
    package static func cMoveRequest(messageID: UInt16, sopClassUID: String, destination: String) -> CommandSet {
        var command = request(.cMoveRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: true)
        command.set(.priority, uint16: 0)
        command.set(.moveDestination, text: destination)
        return command
    }

    /// Priority medium. PS3.7 §9.3.2.1.
    package static func cFindRequest(messageID: UInt16, sopClassUID: String) -> CommandSet {
        var command = request(.cFindRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: true)
        command.set(.priority, uint16: 0)
        return command
    }

    /// With event information. PS3.7 §10.3.1.1.
    package static func nEventReportRequest(
        messageID: UInt16, sopClassUID: String, sopInstanceUID: String, eventTypeID: UInt16
    ) -> CommandSet {
        var command = request(
            .nEventReportRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: true)
        command.set(.affectedSOPInstanceUID, uid: sopInstanceUID)
        command.set(.eventTypeID, uint16: eventTypeID)
        return command
    }

    /// With action information. PS3.7 §10.3.4.1.
    package static func nActionRequest(
        messageID: UInt16, sopClassUID: String, sopInstanceUID: String, actionTypeID: UInt16
    ) -> CommandSet {
        var command = request(.nActionRequest, messageID: messageID, affectedSOPClassUID: nil, hasDataSet: true)
        command.set(.requestedSOPClassUID, uid: sopClassUID)
        command.set(.requestedSOPInstanceUID, uid: sopInstanceUID)
        command.set(.actionTypeID, uint16: actionTypeID)
        return command
    }

    /// With the attribute list, if any; without a UID the performer makes one. PS3.7 §10.3.5.1.
    package static func nCreateRequest(
        messageID: UInt16, sopClassUID: String, sopInstanceUID: String?, hasDataSet: Bool = true
    ) -> CommandSet {
        var command = request(
            .nCreateRequest, messageID: messageID, affectedSOPClassUID: sopClassUID, hasDataSet: hasDataSet)
        command.set(.affectedSOPInstanceUID, uid: sopInstanceUID)
        return command
    }

    /// With the modification list. PS3.7 §10.3.3.1.
    package static func nSetRequest(messageID: UInt16, sopClassUID: String, sopInstanceUID: String) -> CommandSet {
        var command = request(.nSetRequest, messageID: messageID, affectedSOPClassUID: nil, hasDataSet: true)
        command.set(.requestedSOPClassUID, uid: sopClassUID)
        command.set(.requestedSOPInstanceUID, uid: sopInstanceUID)
        return command
    }

    /// PS3.7 §9.3.2.3: the cancellation has a number of its own for no one, only that of the request.
    package static func cCancelRequest(messageIDBeingRespondedTo: UInt16) -> CommandSet {
        var command = CommandSet()
        command.set(.commandField, uint16: CommandField.cCancelRequest.rawValue)
        command.set(.messageIDBeingRespondedTo, uint16: messageIDBeingRespondedTo)
        command.set(.commandDataSetType, uint16: DIMSEMessage.noDataSet)
        return command
    }

    /// The response to `request`, also to one of an unknown command field. PS3.7 §9.3, §10.3.
    ///
    /// `errorComment` is cut to the 64 characters of its VR and must not carry patient data.
    package static func response(
        to request: DIMSEMessage, status: DIMSEStatus, hasDataSet: Bool = false, errorComment: String? = nil
    ) -> CommandSet {
        var command = CommandSet()
        command.set(.affectedSOPClassUID, uid: request.sopClassUID)
        command.set(.commandField, uint16: (request.command.uint16(.commandField) ?? 0) | 0x8000)
        command.set(.messageIDBeingRespondedTo, uint16: request.messageID)
        command.set(.commandDataSetType, uint16: hasDataSet ? 0x0000 : DIMSEMessage.noDataSet)
        command.set(.status, uint16: status.rawValue)
        command.set(.errorComment, text: errorComment.map { String($0.prefix(64)) })
        command.set(.affectedSOPInstanceUID, uid: request.sopInstanceUID)
        return command
    }
}
