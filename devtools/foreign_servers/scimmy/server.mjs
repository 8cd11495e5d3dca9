// A SCIM server made of SCIMMY: users in memory, read from the JSON file USERS, on the port PORT of loopback.
import { readFileSync } from "node:fs";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const EXTENSION = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User";
const { Attribute, SchemaDefinition, Error: ScimError } = SCIMMY.Types;

const users = new Map(JSON.parse(readFileSync(process.env.USERS, "utf-8")).map((user) => [user.id, user]));

// What SCIMMY's own filter looks at. It refuses filters by a list that any user is without, so that with LISTS each
// user has all of them. It finds no user by an extension's attribute inside the extension's object, and with
// EXTENSIONS it has these beside the others.
const lists = process.env.LISTS ? { emails: [], phoneNumbers: [], addresses: [] } : {};
const searchable = (user) => {
  const own = process.env.EXTENSIONS ? Object.entries(user[EXTENSION] ?? {}) : [];
  return { ...lists, ...user, ...Object.fromEntries(own.map(([name, value]) => [`${EXTENSION}:${name}`, value])) };
};

// What a schema class of SCIMMY's is, for the extension.
class SkolonUser extends SCIMMY.Types.Schema {
  static #definition = new SchemaDefinition("SkolonUser", EXTENSION, "Skolon's own attributes", [
    new Attribute("string", "eppn"),
    new Attribute("string", "idpIdentifier", { caseExact: true }),
    new Attribute("string", "ssn"),
    new Attribute("string", "birthDate"),
  ]);

  static get definition() {
    return SkolonUser.#definition;
  }

  constructor(resource, direction = "both", basepath, filters) {
    super(resource, direction);
    Object.assign(this, SkolonUser.#definition.coerce(resource, direction, basepath, filters));
  }
}

SCIMMY.Resources.declare(SCIMMY.Resources.User)
  .extend(SkolonUser)
  .ingress((resource, data) => {
    // Nothing creates users here: what the sync never does, no test may do by mistake.
    if (!users.has(resource.id)) throw new ScimError(404, null, "no such user");
    const user = { ...JSON.parse(JSON.stringify(data)), id: resource.id };
    users.set(resource.id, user);
    return user;
  })
  .egress((resource) => {
    if (resource.id) {
      if (!users.has(resource.id)) throw new ScimError(404, null, "no such user");
      return users.get(resource.id);
    }
    const found = [...users.values()];
    return resource.filter ? resource.filter.match(found.map(searchable)).map(({ id }) => users.get(id)) : found;
  })
  .degress(() => {
    throw new ScimError(403, null, "no user is deleted");
  });

const handler = (request) => {
  if (request.header("Authorization") !== `Bearer ${process.env.TOKEN}`) throw new Error("wrong token");
  return "update-sync";
};

const app = express();
app.get("/users.json", (_, response) => response.json([...users.values()]));
app.use("/:organisation/scim/v2", new SCIMMYRouters({ type: "bearer", handler }));
app.listen(Number(process.env.PORT), "127.0.0.1");
