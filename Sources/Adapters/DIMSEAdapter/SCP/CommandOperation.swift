import DICOMData
import DICOMNetwork

/// One request that needs no data set; one that comes is passed over.
struct CommandOperation: ServiceOperation {
    let request: DIMSERequest
    let answer: @Sendable (DIMSERequest, Responder) async throws -> Void

    init(_ request: DIMSERequest, answer: @escaping @Sendable (DIMSERequest, Responder) async throws -> Void) {
        self.request = request
        self.answer = answer
    }

    func receive(_ bytes: UnsafeRawBufferPointer) {}
    func abandon() {}
    func perform(_ responder: Responder) async throws { try await answer(request, responder) }
}

extension DIMSEMessage {
    /// The attributes that an N-GET asks for; none for all. PS3.7 §10.1.2.1.4.
    var attributesAsked: [Tag] {
        let list = command[.attributeIdentifierList] ?? []
        func number(_ index: Int) -> UInt16 { UInt16(list[index]) | UInt16(list[index + 1]) << 8 }
        return stride(from: 0, to: list.count - list.count % 4, by: 4).map { Tag(number($0), number($0 + 2)) }
    }
}
