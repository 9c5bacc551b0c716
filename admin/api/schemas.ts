import { type TProperties, Type } from 'typebox';

export const pageLimitMax = 500;
export const nameLengthMax = 255;

export function object<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

export const nothing = object({});

export const idParameter = object({
  id: Type.String({ minLength: 1, maxLength: nameLengthMax, description: 'UUID or name' }),
});

/** What every listing takes. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: pageLimitMax, default: 100, description: 'rows a page' }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 500, description: '`next` of the page before this one' }),
  ),
};
