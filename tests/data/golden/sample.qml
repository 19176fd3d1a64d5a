<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="0" hasScaleBasedVisibilityFlag="0" minScale="100000000" maxScale="0" simplifyLocal="1" simplifyDrawingHints="1" simplifyDrawingTol="1" simplifyMaxScale="1" simplifyAlgorithm="0" symbologyReferenceScale="-1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
  <Private>0</Private>
 </flags>
 <fieldConfiguration>
  <field name="fid" configurationFlags="None">
   <editWidget type="Hidden">
    <config>
     <Option type="Map" />
    </config>
   </editWidget>
  </field>
  <field name="sample_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="stratum" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Signal: saknas i kartan" type="QString" value="signal_missing" />
       </Option>
       <Option type="Map">
        <Option name="Signal: finns inte längre" type="QString" value="signal_excess" />
       </Option>
       <Option type="Map">
        <Option name="Signal: annan skillnad" type="QString" value="signal_other" />
       </Option>
       <Option type="Map">
        <Option name="Kartobjekt utan signal" type="QString" value="object" />
       </Option>
       <Option type="Map">
        <Option name="Tom ruta" type="QString" value="cell_empty" />
       </Option>
       <Option type="Map">
        <Option name="Ruta med objekt" type="QString" value="cell_built" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="weight" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="question" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="discrepancy_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="subject" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="answer" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Ja, stämmer" type="QString" value="correct" />
       </Option>
       <Option type="Map">
        <Option name="Nej, stämmer inte" type="QString" value="wrong" />
       </Option>
       <Option type="Map">
        <Option name="Går inte att avgöra" type="QString" value="unclear" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="number" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="comment" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="true" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reviewed_by" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reviewed_at" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd HH:mm" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd HH:mm:ss" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias field="fid" index="0" name="fid" />
  <alias field="sample_id" index="1" name="Stickprovs-id" />
  <alias field="stratum" index="2" name="Grupp" />
  <alias field="weight" index="3" name="Står för så många" />
  <alias field="question" index="4" name="Fråga" />
  <alias field="discrepancy_id" index="5" name="Avvikelse-id" />
  <alias field="subject" index="6" name="Kartobjekt eller ruta" />
  <alias field="answer" index="7" name="Svar" />
  <alias field="number" index="8" name="Antal som saknas" />
  <alias field="comment" index="9" name="Kommentar" />
  <alias field="reviewed_by" index="10" name="Granskad av" />
  <alias field="reviewed_at" index="11" name="Granskad när (UTC)" />
 </aliases>
 <editable>
  <field name="fid" editable="0" />
  <field name="sample_id" editable="0" />
  <field name="stratum" editable="0" />
  <field name="weight" editable="0" />
  <field name="question" editable="0" />
  <field name="discrepancy_id" editable="0" />
  <field name="subject" editable="0" />
  <field name="answer" editable="1" />
  <field name="number" editable="1" />
  <field name="comment" editable="1" />
  <field name="reviewed_by" editable="0" />
  <field name="reviewed_at" editable="0" />
 </editable>
 <labelOnTop>
  <field name="fid" labelOnTop="0" />
  <field name="sample_id" labelOnTop="0" />
  <field name="stratum" labelOnTop="0" />
  <field name="weight" labelOnTop="0" />
  <field name="question" labelOnTop="0" />
  <field name="discrepancy_id" labelOnTop="0" />
  <field name="subject" labelOnTop="0" />
  <field name="answer" labelOnTop="0" />
  <field name="number" labelOnTop="0" />
  <field name="comment" labelOnTop="1" />
  <field name="reviewed_by" labelOnTop="0" />
  <field name="reviewed_at" labelOnTop="0" />
 </labelOnTop>
 <defaults>
  <default field="fid" expression="" applyOnUpdate="0" />
  <default field="sample_id" expression="" applyOnUpdate="0" />
  <default field="stratum" expression="" applyOnUpdate="0" />
  <default field="weight" expression="" applyOnUpdate="0" />
  <default field="question" expression="" applyOnUpdate="0" />
  <default field="discrepancy_id" expression="" applyOnUpdate="0" />
  <default field="subject" expression="" applyOnUpdate="0" />
  <default field="answer" expression="" applyOnUpdate="0" />
  <default field="number" expression="" applyOnUpdate="0" />
  <default field="comment" expression="" applyOnUpdate="0" />
  <default field="reviewed_by" expression="if(&quot;answer&quot; IS NULL, NULL, coalesce(nullif(@user_full_name, ''), @user_account_name))" applyOnUpdate="1" />
  <default field="reviewed_at" expression="if(&quot;answer&quot; IS NULL, NULL, with_variable('now', now(), to_datetime(format_date(datetime_from_epoch(2 * epoch(@now) - epoch(to_datetime(format_date(@now, 'yyyy-MM-ddTHH:mm:ss') || 'Z'))), 'yyyy-MM-ddTHH:mm:ss') || 'Z')))" applyOnUpdate="1" />
 </defaults>
 <constraints>
  <constraint field="fid" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="sample_id" constraints="3" notnull_strength="1" unique_strength="1" exp_strength="0" />
  <constraint field="stratum" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="weight" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="question" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="discrepancy_id" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="subject" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="answer" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="number" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="comment" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reviewed_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reviewed_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <constraintExpressions>
  <constraint field="fid" exp="" desc="" />
  <constraint field="sample_id" exp="" desc="" />
  <constraint field="stratum" exp="" desc="" />
  <constraint field="weight" exp="" desc="" />
  <constraint field="question" exp="" desc="" />
  <constraint field="discrepancy_id" exp="" desc="" />
  <constraint field="subject" exp="" desc="" />
  <constraint field="answer" exp="" desc="" />
  <constraint field="number" exp="" desc="" />
  <constraint field="comment" exp="" desc="" />
  <constraint field="reviewed_by" exp="" desc="" />
  <constraint field="reviewed_at" exp="" desc="" />
 </constraintExpressions>
 <attributetableconfig actionWidgetStyle="buttonList" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="sample_id" hidden="0" width="-1" />
   <column type="field" name="stratum" hidden="0" width="-1" />
   <column type="field" name="weight" hidden="0" width="-1" />
   <column type="field" name="question" hidden="0" width="-1" />
   <column type="field" name="discrepancy_id" hidden="0" width="-1" />
   <column type="field" name="subject" hidden="0" width="-1" />
   <column type="field" name="answer" hidden="0" width="-1" />
   <column type="field" name="number" hidden="0" width="-1" />
   <column type="field" name="comment" hidden="0" width="-1" />
   <column type="field" name="reviewed_by" hidden="0" width="-1" />
   <column type="field" name="reviewed_at" hidden="0" width="-1" />
   <column type="field" name="fid" hidden="1" width="-1" />
  </columns>
 </attributetableconfig>
 <editorlayout>tablayout</editorlayout>
 <attributeEditorForm>
  <attributeEditorContainer name="Granskning" groupBox="0" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
   <attributeEditorContainer name="Fråga" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorField name="stratum" index="2" showLabel="1" />
    <attributeEditorField name="question" index="4" showLabel="1" />
    <attributeEditorField name="subject" index="6" showLabel="1" />
   </attributeEditorContainer>
   <attributeEditorContainer name="Beslut" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorField name="answer" index="7" showLabel="1" />
    <attributeEditorField name="number" index="8" showLabel="1" />
    <attributeEditorField name="comment" index="9" showLabel="1" />
   </attributeEditorContainer>
   <attributeEditorContainer name="Vem och när" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorField name="reviewed_by" index="10" showLabel="1" />
    <attributeEditorField name="reviewed_at" index="11" showLabel="1" />
   </attributeEditorContainer>
  </attributeEditorContainer>
  <attributeEditorContainer name="Ursprung" groupBox="0" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
   <attributeEditorField name="sample_id" index="1" showLabel="1" />
   <attributeEditorField name="weight" index="3" showLabel="1" />
   <attributeEditorField name="discrepancy_id" index="5" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <layerGeometryType>2</layerGeometryType>
 <renderer-v2 type="categorizedSymbol" attr="stratum" forceraster="0" symbollevels="0" enableorderby="0" referencescale="-1">
  <categories>
   <category symbol="0" value="signal_missing" label="Signal: saknas i kartan" render="true" type="string" />
   <category symbol="1" value="signal_excess" label="Signal: finns inte längre" render="true" type="string" />
   <category symbol="2" value="signal_other" label="Signal: annan skillnad" render="true" type="string" />
   <category symbol="3" value="object" label="Kartobjekt utan signal" render="true" type="string" />
   <category symbol="4" value="cell_empty" label="Tom ruta" render="true" type="string" />
   <category symbol="5" value="cell_built" label="Ruta med objekt" render="true" type="string" />
  </categories>
  <symbols>
   <symbol name="0" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="1" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="2" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="3" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="4" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="5" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;answer&quot; IS NULL THEN 100 ELSE 30 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
  </symbols>
 </renderer-v2>
 <previewExpression>"sample_id" || ' – ' || represent_value("stratum")</previewExpression>
</qgis>