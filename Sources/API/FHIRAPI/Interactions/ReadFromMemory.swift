import HTTPSupport
import HTTPTypes
import NIOCore

/// A plain read of a current version that is in memory. Queries change how an answer looks, and are left to the handler.
struct ReadFromMemory: AnsweringFromMemory {
    let service: FHIRService

    /// The store is asked with the caller's rights, and gives of what it remembers what it has shown in the same ones.
    var knowsParts: Bool { true }

    func resourceType(of request: APIRequest) -> String { request.parameters["type"] }

    func answer(to request: APIRequest) -> MemoryAnswer? {
        guard request.rawQuery.isEmpty,
            let (response, record, holds) = service.readFromMemory(
                type: request.parameters["type"], id: request.parameters["id"], headers: request.headers,
                access: request.access)
        else { return nil }
        var body = ByteBuffer()
        if case .bytes(let bytes) = response.body { body.writeBytes(bytes) }
        return MemoryAnswer(
            status: HTTPResponse.Status(code: response.status), headers: FHIRRoutes.fields(response),
            body: .bytes(body), record: record, holds: holds)
    }
}
