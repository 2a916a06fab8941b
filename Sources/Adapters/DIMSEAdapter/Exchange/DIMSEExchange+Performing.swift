import DICOMNetwork
import Logging
import NIOCore

extension NIOLoopBound<DIMSEExchange> {
    /// Does the work on one request of the peer, and sees to it that it is answered.
    func perform(
        _ operation: any ServiceOperation, _ responder: Responder, _ logger: Logger, association: String?
    ) async {
        do {
            if operation.staysOnEventLoop {
                try await operation.perform(responder)
            } else {
                try await withTaskExecutorPreference(globalConcurrentExecutor) {
                    try await operation.perform(responder)
                }
            }
        } catch {
            logger.debug("operation ended early", metadata: ["association": "\(association ?? "")"])
        }
        eventLoop.execute { value.returned(from: responder) }
    }
}
