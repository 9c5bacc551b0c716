import {
  CheckInRequest,
  CheckInResponse,
  RegisterRequest,
  RegisterResponse,
  ReportRequest,
  ReportResponse,
  ReportTraitsRequest,
  ReportTraitsResponse,
  ResolveSecretsRequest,
  ResolveSecretsResponse,
} from './gen/vigo/v1/agent.ts';
import { SignedRequest } from './gen/vigo/v1/envelope.ts';
import { FetchReleaseRequest, FetchReleaseResponse } from './gen/vigo/v1/release.ts';
import { WorkItem, WorkUpdate } from './gen/vigo/v1/work.ts';
import * as limits from './limits.ts';

/** The one method that is not signed and needs no client certificate. */
export const register = {
  path: '/vigo.v1.VigoAgent/Register',
  request: RegisterRequest,
  response: RegisterResponse,
  requestLimit: limits.registerRequestLimit,
  responseLimit: limits.smallResponseLimit,
} as const;

/** The type of every signed request on the wire; its `body` is a method's own message. */
export const envelope = SignedRequest;

/**
 * The signed methods. `path` names the method on the wire, its key in the signature. `bodyLimit`
 * bounds the encoded body, `requestLimit` the whole envelope, `responseLimit` the answer.
 */
export const methods = {
  CheckIn: {
    path: '/vigo.v1.VigoAgent/CheckIn',
    body: CheckInRequest,
    response: CheckInResponse,
    bodyLimit: limits.checkInBodyLimit,
    requestLimit: limits.checkInBodyLimit + limits.envelopeOverheadLimit,
    responseLimit: limits.checkInResponseLimit,
  },
  Report: {
    path: '/vigo.v1.VigoAgent/Report',
    body: ReportRequest,
    response: ReportResponse,
    bodyLimit: limits.reportBodyLimit,
    requestLimit: limits.reportBodyLimit + limits.envelopeOverheadLimit,
    responseLimit: limits.smallResponseLimit,
  },
  ReportTraits: {
    path: '/vigo.v1.VigoAgent/ReportTraits',
    body: ReportTraitsRequest,
    response: ReportTraitsResponse,
    bodyLimit: limits.traitsLimit + limits.envelopeOverheadLimit,
    requestLimit: limits.traitsLimit + 2 * limits.envelopeOverheadLimit,
    responseLimit: limits.smallResponseLimit,
  },
  ResolveSecrets: {
    path: '/vigo.v1.VigoAgent/ResolveSecrets',
    body: ResolveSecretsRequest,
    response: ResolveSecretsResponse,
    bodyLimit: limits.resolveSecretsBodyLimit,
    requestLimit: limits.resolveSecretsBodyLimit + limits.envelopeOverheadLimit,
    responseLimit: limits.resolveSecretsResponseLimit,
  },
  FetchRelease: {
    path: '/vigo.v1.VigoAgent/FetchRelease',
    body: FetchReleaseRequest,
    response: FetchReleaseResponse,
    bodyLimit: limits.fetchReleaseBodyLimit,
    requestLimit: limits.fetchReleaseBodyLimit + limits.envelopeOverheadLimit,
    responseLimit: limits.fetchReleaseResponseLimit,
  },
  Work: {
    path: '/vigo.v1.VigoAgent/Work',
    body: WorkUpdate,
    response: WorkItem,
    bodyLimit: limits.workUpdateBodyLimit,
    requestLimit: limits.workUpdateBodyLimit + limits.envelopeOverheadLimit,
    responseLimit: limits.workItemLimit,
  },
} as const;

export type SignedMethodName = keyof typeof methods;
export type SignedMethod<Name extends SignedMethodName> = (typeof methods)[Name];
export type BodyOf<Name extends SignedMethodName> = ReturnType<
  SignedMethod<Name>['body']['decode']
>;
export type ResponseOf<Name extends SignedMethodName> = ReturnType<
  SignedMethod<Name>['response']['decode']
>;
